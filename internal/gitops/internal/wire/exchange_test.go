package wire

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestRoundTripper_sending: nothing of a body that must not be sent reaches the server, over either version of HTTP.
func TestRoundTripper_sending(t *testing.T) {
	held := errors.New("held back")
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			bodies := make(chan string, 2)
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				bodies <- r.Proto + " " + string(body)
			}))
			server.EnableHTTP2 = http2
			server.StartTLS()
			defer server.Close()
			base := server.Client().Transport.(*http.Transport)
			client := &http.Client{Transport: &roundTripper{base: func() *http.Transport { return base }}}
			post := func(sending func() error) error {
				ctx, x := newExchange(t.Context(), advertBound)
				defer x.finish()
				x.sending = sending
				request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, strings.NewReader("pack"))
				if err != nil {
					t.Fatal(err)
				}
				response, err := client.Do(request)
				if err == nil {
					_ = response.Body.Close()
				}
				return err
			}
			if err := post(func() error { return held }); !errors.Is(err, held) {
				t.Errorf("got %v, want the error that held it back", err)
			}
			if err := post(func() error { return nil }); err != nil {
				t.Error(err)
			}
			for range 2 {
				if got := <-bodies; strings.HasSuffix(got, "pack") {
					if !strings.HasPrefix(got, name) {
						t.Errorf("sent over %s", got)
					}
					return
				} else if strings.Contains(got, "p") {
					t.Errorf("the server got %q", got)
				}
			}
			t.Error("the second body did not arrive")
		})
	}
}
