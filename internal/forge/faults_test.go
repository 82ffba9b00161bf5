package forge

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// faultStories are what happens on the way, with every kind.
var faultStories = []story{
	{"denied", nil, func(t *testing.T, _ contract, h *host, f Forge) {
		for _, code := range []int{http.StatusUnauthorized, http.StatusForbidden} {
			h.fail(fault{method: "GET", times: 1, answer: status(code)})
			_, err := f.Get(t.Context(), 1)
			var denied *DeniedError
			if !errors.As(err, &denied) || denied.Status != code || !strings.Contains(err.Error(), "so says the forge") {
				t.Errorf("%d: %v", code, err)
			}
			if strings.Contains(err.Error(), testToken) {
				t.Errorf("the token is in %v", err)
			}
		}
	}},
	{"throttled", nil, func(t *testing.T, _ contract, h *host, f Forge) {
		p := h.open("feature/x", "main")
		h.fail(fault{method: "GET", times: 1, answer: status(http.StatusTooManyRequests, "Retry-After", "1")})
		h.fail(fault{method: "GET", times: 1, answer: status(http.StatusForbidden, "Retry-After", "1")})
		h.fail(fault{method: "GET", times: 1, answer: status(http.StatusForbidden, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1000000001")})
		h.fail(fault{method: "GET", times: 1, answer: status(http.StatusServiceUnavailable)})
		if r, err := f.Get(t.Context(), p.number); err != nil || r.Number != p.number {
			t.Fatalf("got %+v, %v", r, err)
		}
		h.fail(fault{method: "GET", times: 1, answer: status(http.StatusTooManyRequests, "Retry-After", "3600")})
		var busy *BusyError
		if _, err := f.Get(t.Context(), p.number); !errors.As(err, &busy) || busy.After != time.Hour {
			t.Errorf("an hour: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		h.fail(fault{method: "GET", times: 1, answer: status(http.StatusTooManyRequests, "Retry-After", "30")})
		if _, err := f.Get(ctx, p.number); !errors.As(err, &busy) || busy.After != 30*time.Second {
			t.Errorf("longer than there is time: %v", err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		h.fail(fault{method: "GET", times: 1, answer: status(http.StatusTooManyRequests, "Retry-After", "600")})
		if r, err := f.Get(ctx, p.number); err != nil || r.Number != p.number {
			t.Errorf("there is time enough: %+v, %v", r, err)
		}
		h.fail(fault{method: "GET", times: 100, answer: status(http.StatusBadGateway)})
		before := h.requests("GET", "/")
		if _, err := f.Get(t.Context(), p.number); !errors.As(err, &busy) || h.requests("GET", "/")-before != maxTries {
			t.Errorf("a gateway: %v", err)
		}
	}},
	{"an echo of secrets", nil, func(t *testing.T, c contract, h *host, f Forge) {
		_, sent, _ := strings.Cut(c.authorization, " ")
		h.fail(fault{method: "GET", times: 1, answer: func(w http.ResponseWriter, r *http.Request) {
			answer(w, http.StatusBadRequest, map[string]any{"message": "\x1b[31mwho sends " + testToken + " as " + r.Header.Get("Authorization") + "?"})
		}})
		_, err := f.Get(t.Context(), 1)
		if err == nil || strings.Contains(err.Error(), testToken) || strings.Contains(err.Error(), sent) || strings.ContainsRune(err.Error(), '\x1b') {
			t.Errorf("got %v", err)
		}
	}},
	{"what it lacks is not asked for", nil, func(t *testing.T, c contract, h *host, f Forge) {
		content := Content{Title: "A title", Labels: []string{"gitops"}, Reviewers: []string{"team:ops"}}
		if f.Check(content, nil) == nil {
			return
		}
		var unsupported *UnsupportedError
		if _, err := f.Create(t.Context(), "feature/x", "main", content); !errors.As(err, &unsupported) || unsupported.Kind != c.kind {
			t.Errorf("got %v", err)
		}
		if _, err := f.Update(t.Context(), 1, content); !errors.As(err, &unsupported) {
			t.Errorf("got %v", err)
		}
		if err := f.AutoMerge(t.Context(), 1, AutoMerge{Method: "octopus"}); !errors.As(err, &unsupported) {
			t.Errorf("got %v", err)
		}
		if len(h.log) > 0 {
			t.Errorf("it was asked: %v", h.log)
		}
	}},
	{"a second one of another", nil, func(t *testing.T, _ contract, h *host, f Forge) {
		// The answer of a request that came too late is lost.
		h.fail(fault{method: "POST", times: 1, answer: func(w http.ResponseWriter, r *http.Request) {
			h.add(&pullRequest{source: "feature/x", base: "main", title: "Of another"})
			lose(w, r)
		}})
		var exists *ExistsError
		if _, err := f.Create(t.Context(), "feature/x", "main", Content{Title: "A title"}); !errors.As(err, &exists) || exists.Number != 1 {
			t.Errorf("got %v", err)
		}
	}},
	{"a change that is throttled", nil, func(t *testing.T, _ contract, h *host, f Forge) {
		h.fail(fault{method: "POST", times: 1, answer: status(http.StatusTooManyRequests)})
		if r, err := f.Create(t.Context(), "feature/x", "main", Content{Title: "A title"}); err != nil || r.Number != 1 || len(h.pulls) != 1 {
			t.Errorf("got %+v, %v", r, err)
		}
	}},
	{"a lost answer of create", nil, func(t *testing.T, _ contract, h *host, f Forge) {
		for i, lost := range []fault{
			{method: "POST", times: 1, after: true, answer: lose},
			{method: "POST", times: 1, answer: lose},
			{method: "POST", times: 1, after: true, answer: status(http.StatusBadGateway)},
			{method: "POST", times: 1, answer: status(http.StatusGatewayTimeout)},
			{method: "POST", times: 1, after: true, answer: status(http.StatusInternalServerError)},
			{method: "POST", times: 1, after: true, answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) }},
		} {
			h.fail(lost)
			source := "feature/" + string(rune('a'+i))
			r, err := f.Create(t.Context(), source, "main", Content{Title: "A title"})
			if err != nil || r.Source != source || len(h.pulls) != i+1 {
				t.Fatalf("%d: got %+v, %v; %d there", i, r, err, len(h.pulls))
			}
		}
	}},
	{"merged while it is closed", nil, func(t *testing.T, c contract, h *host, f Forge) {
		p := h.open("feature/x", "main")
		code := map[Kind]int{
			Gitea: http.StatusPreconditionFailed, GitHub: http.StatusUnprocessableEntity, GitLab: http.StatusUnprocessableEntity,
			Bitbucket: http.StatusBadRequest, DataCenter: http.StatusConflict, AzureDevOps: http.StatusBadRequest,
		}[c.kind]
		h.fail(fault{method: "change", times: 1, answer: func(w http.ResponseWriter, r *http.Request) {
			p.mergeNow()
			p.version++
			status(code)(w, r)
		}})
		if err := f.Close(t.Context(), p.number); err != nil || p.state != Merged {
			t.Errorf("%v; %+v", err, p)
		}
		p = h.open("feature/y", "main")
		h.fail(fault{method: "change", times: 1, answer: status(http.StatusBadRequest)})
		if err := f.Close(t.Context(), p.number); !refusedWith(err, http.StatusBadRequest) {
			t.Errorf("refused: %v", err)
		}
	}},
	{"auto-merge with a lost answer", func(has ability) bool { return has.autoMerge }, func(t *testing.T, c contract, h *host, f Forge) {
		for _, after := range []bool{true, false} {
			p := h.open("feature/x", "main")
			p.mergeable, p.blocked = false, c.blocked
			h.fail(fault{method: "change", times: 1, after: after, answer: lose})
			if err := f.AutoMerge(t.Context(), p.number, AutoMerge{Method: Squash, Head: testHead}); err != nil || !p.auto {
				t.Errorf("%v; %+v", err, p)
			}
			h.fail(fault{method: "change", times: 1, answer: func(w http.ResponseWriter, r *http.Request) {
				p.mergeNow()
				status(http.StatusConflict)(w, r)
			}})
			if err := f.AutoMerge(t.Context(), p.number, AutoMerge{Method: Merge, Head: testHead}); err != nil {
				t.Errorf("merged meanwhile: %v", err)
			}
		}
	}},
	{"cancel when nothing is scheduled any more", func(has ability) bool { return has.autoMerge }, func(t *testing.T, c contract, h *host, f Forge) {
		p := h.open("feature/x", "main")
		p.mergeable, p.blocked, p.auto = false, c.blocked, true
		code := map[Kind]int{Gitea: http.StatusNotFound, GitLab: http.StatusNotAcceptable, DataCenter: http.StatusConflict}[c.kind]
		if code == 0 {
			return
		}
		h.fail(fault{method: "change", times: 1, answer: func(w http.ResponseWriter, r *http.Request) {
			p.mergeNow()
			status(code)(w, r)
		}})
		if err := f.CancelAutoMerge(t.Context(), p.number); err != nil {
			t.Error(err)
		}
	}},
	{"strange answers", nil, func(t *testing.T, _ contract, h *host, f Forge) {
		for name, strange := range map[string]http.HandlerFunc{
			"web page": func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				_, _ = w.Write([]byte("<!DOCTYPE html><html><title>Sign in</title><body>" + strings.Repeat("x", 5000)))
			},
			"no JSON":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("\x1b[2J{")) },
			"an error": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) },
			"endless": func(w http.ResponseWriter, _ *http.Request) {
				block := []byte(strings.Repeat(" ", 1<<20))
				for range 2 * maxAnswerBytes >> 20 {
					if _, err := w.Write(block); err != nil {
						return
					}
				}
			},
			"too short": func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "100")
				_, _ = w.Write([]byte("{"))
			},
		} {
			h.fail(fault{method: "GET", times: maxTries, answer: strange})
			_, err := f.Get(t.Context(), 1)
			if err == nil || len(err.Error()) > 1000 || strings.ContainsRune(err.Error(), '\x1b') || strings.Contains(err.Error(), "<body>") {
				t.Errorf("%s: %v", name, err)
			}
			h.faults = nil
		}
	}},
	{"redirects", nil, func(t *testing.T, _ contract, h *host, f Forge) {
		p := h.open("feature/x", "main")
		to := func(code int, place string) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				location := place + r.URL.RequestURI()
				if place == "" {
					location = "http://" + r.Host + r.URL.RequestURI()
				}
				w.Header().Set("Location", location)
				w.WriteHeader(code)
			}
		}
		h.fail(fault{method: "GET", times: 1, answer: to(http.StatusMovedPermanently, "")})
		h.fail(fault{method: "GET", times: 1, answer: to(http.StatusTemporaryRedirect, "")})
		if r, err := f.Get(t.Context(), p.number); err != nil || r.Number != p.number {
			t.Errorf("within the host: %+v, %v", r, err)
		}
		h.fail(fault{method: "POST", times: 1, answer: to(http.StatusTemporaryRedirect, "")})
		if r, err := f.Create(t.Context(), "feature/y", "main", Content{Title: "A title"}); err != nil || r.Number != 2 {
			t.Errorf("a change, within the host: %+v, %v", r, err)
		}
		var redirect *RedirectError
		for _, place := range []string{"http://user:password@elsewhere.invalid", "https://127.0.0.1"} {
			h.fail(fault{method: "GET", times: 1, answer: to(http.StatusFound, place)})
			_, err := f.Get(t.Context(), p.number)
			if !errors.As(err, &redirect) || strings.Contains(err.Error(), "password@") {
				t.Errorf("%s: %v", place, err)
			}
		}
		elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			t.Errorf("%s %s was sent elsewhere, with %q", r.Method, r.URL, r.Header.Get("Authorization"))
		}))
		defer elsewhere.Close()
		for _, method := range []string{"GET", "POST"} {
			h.fail(fault{method: method, times: 1, answer: to(http.StatusTemporaryRedirect, elsewhere.URL)})
			_, err := f.Get(t.Context(), p.number)
			if method == "POST" {
				_, err = f.Create(t.Context(), "feature/z", "main", Content{Title: "A title"})
			}
			if !errors.As(err, &redirect) || !strings.HasPrefix(redirect.To, elsewhere.URL) {
				t.Errorf("%s to another host: %v", method, err)
			}
		}
		h.fail(fault{method: "POST", times: 1, answer: to(http.StatusMovedPermanently, "")})
		if _, err := f.Create(t.Context(), "feature/z", "main", Content{Title: "A title"}); !errors.As(err, &redirect) || !strings.Contains(err.Error(), "another name") {
			t.Errorf("a change that would become a read: %v", err)
		}
		h.fail(fault{method: "GET", times: 100, answer: to(http.StatusMovedPermanently, "")})
		if _, err := f.Get(t.Context(), p.number); err == nil {
			t.Error("a circle has no end")
		}
	}},
	{"no time", nil, func(t *testing.T, _ contract, h *host, f Forge) {
		ctx, cancel := context.WithCancelCause(t.Context())
		over := errors.New("the time is up")
		cancel(over)
		if _, err := f.Get(ctx, 1); !errors.Is(err, over) {
			t.Errorf("got %v", err)
		}
		if _, err := f.Create(ctx, "feature/x", "main", Content{Title: "A title"}); !errors.Is(err, over) {
			t.Errorf("got %v", err)
		}
	}},
}
