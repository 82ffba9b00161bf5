package provider_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/config"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// deadServers are Git servers that give no answer, each in its way, by what an error says of them.
var deadServers = map[string]struct {
	url  func(t *testing.T) string
	says string
}{
	"refused": {func(t *testing.T) string {
		t.Helper()
		l := listen(t)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		return "http://" + l.Addr().String()
	}, "connection refused"},
	"hang": {func(t *testing.T) string {
		t.Helper()
		return serving(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	}, "timeouts"},
	"drip": {func(t *testing.T) string {
		t.Helper()
		return serving(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
			for _, c := range strings.Repeat("0014ERR not yet ready\n", 1000) {
				if _, err := w.Write([]byte(string(c))); err != nil || http.NewResponseController(w).Flush() != nil {
					return
				}
				select {
				case <-r.Context().Done():
					return
				case <-time.After(time.Second):
				}
			}
		})
	}, "timeouts"},
	"500": {func(t *testing.T) string {
		t.Helper()
		return serving(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "broken", http.StatusInternalServerError) })
	}, "HTTP 500"},
	"429": {func(t *testing.T) string {
		t.Helper()
		return serving(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "later", http.StatusTooManyRequests) })
	}, "HTTP 429"},
	"TLS alert": {func(t *testing.T) string {
		t.Helper()
		l := listen(t)
		t.Cleanup(func() { _ = l.Close() })
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = conn.Read(make([]byte, 1024))
				_, _ = conn.Write([]byte{0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 80}) // internal_error
				_ = conn.Close()
			}
		}()
		return "https://" + l.Addr().String()
	}, "tls"},
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func serving(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	return server.URL
}

// TestAccProvider_deadGitServer: the plan of a hundred resources over a Git server that does not answer costs one time-out, not one
// each. Terraform plans ten at a time, so that one time-out each would take ten of them.
func TestAccProvider_deadGitServer(t *testing.T) {
	e := acctest.New(t)
	const read, most = 12 * time.Second, 75 * time.Second
	for name, server := range deadServers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := *e
			own.T = t
			p := acctest.Fixture{Env: &own, Dir: "dead_server"}.Program()
			vars := config.Variables{"git_url": config.StringVariable(server.url(t) + "/gitops.git"), "read": config.StringVariable(read.String())}
			began := time.Now()
			out := p.Run(vars, []string{"plan"}, "Error:", server.says)
			took := time.Since(began)
			t.Logf("%s: ended after %s", name, took)
			if took > most {
				t.Errorf("the plan ended after %s, with timeouts.read of %s", took, read)
			}
			if n := strings.Count(out, "Error: Unable to plan package install"); n != 100 {
				t.Errorf("%d errors, want one for each of 100 resources", n)
			}
			first, _, _ := strings.Cut(out[strings.Index(out, "Error: ")+1:], "Error: ")
			if n := strings.Count(first, "/gitops.git"); n != 1 {
				t.Errorf("the server is named %d times in %q", n, first)
			}
			if strings.Contains(out, "s3cret-canary") {
				t.Error("the password is shown")
			}
		})
	}
}
