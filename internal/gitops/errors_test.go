package gitops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/forge"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/wire"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/suite"
)

// failing answers the first n requests that match with a status.
func failing(n int, match func(*http.Request) bool, status int, body string) func(http.Handler) http.Handler {
	var seen atomic.Int32
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !match(r) || int(seen.Add(1)) > n {
				next.ServeHTTP(w, r)
				return
			}
			http.Error(w, body, status)
		})
	}
}

func every(*http.Request) bool { return true }

func TestErrors_serverErrorsPass(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	e := f.engine()
	f.faulty(failing(3, every, http.StatusServiceUnavailable, "busy"))
	if _, err := e.Read(patient(t), "a"); err != nil {
		t.Fatal(err)
	}
	f.faulty(failing(2, pushes, http.StatusBadGateway, "busy"))
	apply(t, e, "Write b", write("b", "2"))
	f.check(map[string]string{"a": "1", "b": "2"})
}

func TestErrors_serverErrorsStay(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	ctx, cancel := context.WithCancel(patient(t))
	var seen atomic.Int32
	f.faulty(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if seen.Add(1) == 3 {
				cancel()
			}
			http.Error(w, "down for maintenance", http.StatusServiceUnavailable)
		})
	})
	_, err := f.engine().Read(ctx, "a")
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "HTTP 503 Service Unavailable: down for maintenance") {
		t.Errorf("got %v, want the context's end and the server's words", err)
	}
}

func TestErrors_wrongPassword(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	e := f.engine(func(c *Config) { c.HTTP.Password = "wr0ng" })
	var callers sync.WaitGroup
	for range 20 {
		callers.Go(func() {
			if _, err := e.Read(patient(t), "a"); !errors.Is(err, ErrAuth) || strings.Contains(err.Error(), "wr0ng") {
				t.Errorf("read: %v, want ErrAuth", err)
			}
			if _, err := e.Apply(patient(t), Change{Summary: "x", Edits: []Edit{write("a", "2")}}); !errors.Is(err, ErrAuth) {
				t.Errorf("apply: %v, want ErrAuth", err)
			}
		})
	}
	callers.Wait()
	if requests, _ := f.requests(); requests != 1 {
		t.Errorf("%d logins with a wrong password, want 1", requests)
	}
	e.Invalidate()
	if _, err := e.Read(patient(t), "a"); !errors.Is(err, ErrAuth) {
		t.Error(err)
	}
	if requests, _ := f.requests(); requests != 2 {
		t.Errorf("%d logins after Invalidate, want one more", requests)
	}
}

// TestErrors_repositoryNotFound: a repository that is not there is looked for once, for reads and for pushes.
func TestErrors_repositoryNotFound(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	everyone := func(e *Engine, reads bool) {
		t.Helper()
		var callers sync.WaitGroup
		for range 20 {
			callers.Go(func() {
				if _, err := e.Read(patient(t), "a"); reads != errors.Is(err, ErrRepositoryNotFound) {
					t.Errorf("read: %v", err)
				}
				if _, err := e.Apply(patient(t), Change{Summary: "x", Edits: []Edit{write("a", "2")}}); !errors.Is(err, ErrRepositoryNotFound) {
					t.Errorf("apply: %v, want ErrRepositoryNotFound", err)
				}
			})
		}
		callers.Wait()
	}
	e := f.engine(func(c *Config) { c.URL += "-of-nobody" })
	everyone(e, true)
	if requests, _ := f.requests(); requests != 1 {
		t.Errorf("%d requests, want 1", requests)
	}
	e.Invalidate()
	everyone(e, true)
	if requests, _ := f.requests(); requests != 2 {
		t.Errorf("%d requests after Invalidate, want one more", requests)
	}
	f.reset()
	f.faulty(failing(1<<30, pushes, http.StatusNotFound, "hidden"))
	everyone(f.engine(), false)
	if _, pushes := f.requests(); pushes != 1 {
		t.Errorf("%d pushes where pushing is hidden, want 1", pushes)
	}
}

// TestErrors_noCredentials: a server that asks for credentials where none were sent has refused none, and is asked once.
func TestErrors_noCredentials(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	server := strings.TrimSuffix(f.URL(repository), "/"+repository+".git")
	var redirects atomic.Int32
	redirecting := func(front *httptest.Server) *httptest.Server {
		front.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			redirects.Add(1)
			http.Redirect(w, r, server+r.URL.RequestURI(), http.StatusMovedPermanently)
		})
		t.Cleanup(front.Close)
		return front
	}
	plain, other := redirecting(httptest.NewUnstartedServer(nil)), redirecting(httptest.NewUnstartedServer(nil))
	plain.Start()
	other.StartTLS()
	authorities := f.CertificateAuthority() + string(pemOf(other.Certificate().Raw))
	for name, test := range map[string]struct {
		url        string
		http       HTTPAuth
		requests   int // to the fixture's server
		unsent     *UnsentError
		redirected *RedirectError
	}{
		"none are configured":            {f.URL(repository), HTTPAuth{}, 1, &UnsentError{From: server, To: server}, nil},
		"none, and a redirect to https":  {plain.URL + "/gitops.git", HTTPAuth{AllowInsecure: true}, 1, &UnsentError{From: plain.URL, To: server}, nil},
		"none, and a redirect elsewhere": {other.URL + "/gitops.git", HTTPAuth{}, 1, &UnsentError{From: other.URL, To: server}, nil},
		"a redirect to https": {
			plain.URL + "/gitops.git",
			HTTPAuth{Username: username, Password: password, AllowInsecure: true},
			0, nil,
			&RedirectError{From: plain.URL, To: server, Encrypted: true},
		},
		"a redirect elsewhere": {other.URL + "/gitops.git", HTTPAuth{BearerToken: "s3cret"}, 0, nil, &RedirectError{From: other.URL, To: server}},
	} {
		t.Run(name, func(t *testing.T) {
			f.reset()
			redirects.Store(0)
			e := f.engine(func(c *Config) { c.URL, c.HTTP = test.url, test.http; c.HTTP.CertificateAuthority = authorities })
			check := func(err error) {
				var unsent *UnsentError
				var redirect *RedirectError
				switch {
				case test.unsent != nil && (!errors.As(err, &unsent) || !errors.Is(err, ErrAuth) || unsent.From != test.unsent.From ||
					unsent.To != test.unsent.To || unsent.URL != f.URL(repository) || unsent.Configured || !strings.Contains(err.Error(), "none are configured")):
					t.Errorf("got %v, want %+v", err, test.unsent)
				case test.redirected != nil && (!errors.As(err, &redirect) || redirect.From != test.redirected.From || redirect.To != test.redirected.To ||
					redirect.URL != f.URL(repository) || redirect.Encrypted != test.redirected.Encrypted):
					t.Errorf("got %v, want %+v", err, test.redirected)
				case strings.Contains(err.Error(), "refused the credentials"):
					t.Errorf("got %v", err)
				}
			}
			var callers sync.WaitGroup
			for range 20 {
				callers.Go(func() {
					_, err := e.Read(patient(t), "a")
					check(err)
					_, err = e.Apply(patient(t), Change{Summary: "x", Edits: []Edit{write("a", "2")}})
					check(err)
				})
			}
			callers.Wait()
			if requests, _ := f.requests(); requests != test.requests || redirects.Load() > 1 {
				t.Errorf("%d requests, %d redirects; want %d, at most 1", requests, redirects.Load(), test.requests)
			}
		})
	}
}

func TestErrors_readOnlyCredentials(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	e := f.engine()
	f.faulty(failing(1<<30, pushes, http.StatusForbidden, "read only"))
	for range 3 {
		_, err := e.Apply(patient(t), Change{Summary: "x", Edits: []Edit{write("a", "2")}})
		if !errors.Is(err, ErrAuth) || !strings.Contains(err.Error(), "read only") {
			t.Errorf("got %v, want ErrAuth with the server's words", err)
		}
	}
	if _, pushes := f.requests(); pushes != 1 {
		t.Errorf("%d pushes, want 1", pushes)
	}
	if _, err := e.Read(patient(t), "a"); err != nil {
		t.Errorf("reading needs no right to write: %v", err)
	}
}

// TestErrors_tokenExpires: a login that is refused in the middle is not tried again for every read.
func TestErrors_tokenExpires(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(packages(3))
	e := f.engine()
	if _, err := e.Tip(patient(t)); err != nil {
		t.Fatal(err)
	}
	f.faulty(failing(1<<30, every, http.StatusUnauthorized, "expired"))
	f.reset()
	for range 5 {
		if _, err := e.Read(patient(t), "package-1/prod/params.yaml"); !errors.Is(err, ErrAuth) {
			t.Errorf("got %v, want ErrAuth", err)
		}
	}
	if requests, _ := f.requests(); requests != 1 {
		t.Errorf("%d logins, want 1", requests)
	}
}

func TestErrors_hook(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	if err := f.SetHook(repository, "pre-receive", "#!/bin/sh\necho 'ticket number missing' >&2\nexit 1\n"); err != nil {
		t.Fatal(err)
	}
	_, err := f.engine().Apply(patient(t), Change{Summary: "x", Edits: []Edit{write("a", "2")}})
	var declined *HookDeclinedError
	if !errors.As(err, &declined) || declined.Reason != "pre-receive hook declined" || declined.Text != "ticket number missing" {
		t.Errorf("got %v, want *HookDeclinedError with the hook's words", err)
	}
	if _, pushes := f.requests(); pushes != 1 {
		t.Errorf("%d pushes, want 1", pushes)
	}
}

func TestErrors_hookFindsTheOneItObjectsTo(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	script := "#!/bin/sh\nwhile read old new ref; do git ls-tree -r --name-only $new | grep -q bad && { echo 'bad is bad' >&2; exit 1; }; done\nexit 0\n"
	if err := f.SetHook(repository, "pre-receive", script); err != nil {
		t.Fatal(err)
	}
	e := f.engine()
	var callers sync.WaitGroup
	want := map[string]string{"a": "1"}
	for i := range 8 {
		path := fmt.Sprintf("good-%d", i)
		if i == 5 {
			path = "bad"
		} else {
			want[path] = "x"
		}
		callers.Go(func() {
			_, err := e.Apply(patient(t), Change{Summary: path, Edits: []Edit{write(path, "x")}})
			if bad := errors.As(err, new(*HookDeclinedError)); bad != (path == "bad") || !bad && err != nil {
				t.Errorf("%s: %v", path, err)
			}
		})
	}
	callers.Wait()
	f.check(want)
}

func TestErrors_hookThatTalksTooMuch(t *testing.T) {
	t.Parallel()
	suite.Acceptance(t, "takes long")
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	if err := f.SetHook(repository, "pre-receive", "#!/bin/sh\nhead -c 60000000 /dev/zero | tr '\\0' x >&2\nexit 1\n"); err != nil {
		t.Fatal(err)
	}
	_, err := f.engine().Apply(patient(t), Change{Summary: "x", Edits: []Edit{write("a", "2")}})
	var declined *HookDeclinedError
	if !errors.As(err, &declined) || len(declined.Text) == 0 || len(declined.Text) > wire.MaxTextBytes {
		t.Errorf("got %T, want *HookDeclinedError with at most %d bytes of text", err, wire.MaxTextBytes)
	}
}

func TestErrors_largeErrorPage(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	var sent atomic.Int64
	f.faulty(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusTeapot)
			page := bytes.Repeat([]byte("x"), 1<<20)
			for range 300 {
				n, err := w.Write(page)
				sent.Add(int64(n))
				if err != nil {
					return
				}
			}
		})
	})
	_, err := f.engine().Read(patient(t), "a")
	if err == nil || len(err.Error()) > 2000 {
		t.Errorf("got %v", err)
	}
	if sent.Load() > 100<<20 {
		t.Errorf("%d bytes of the error page were taken", sent.Load())
	}
}

func TestErrors_hungServer(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	e := f.engine()
	e.grace = time.Millisecond
	apply(t, e, "Write b", write("b", "2"))
	reached := make(chan struct{}, 10)
	release := make(chan struct{})
	defer close(release)
	f.faulty(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			reached <- struct{}{}
			<-release
		})
	})
	for name, do := range map[string]func(context.Context) error{
		"apply": func(ctx context.Context) error {
			_, err := e.Apply(ctx, Change{Summary: "x", Edits: []Edit{write("c", "3")}})
			if !errors.Is(err, ErrOutcomeUnknown) {
				t.Errorf("apply: %v, want ErrOutcomeUnknown", err)
			}
			return err
		},
		"read": func(ctx context.Context) error {
			e.Invalidate()
			_, err := e.Read(ctx, "b")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(patient(t))
			go func() {
				<-reached
				cancel()
			}()
			if err := do(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v, want context.Canceled", name, err)
			}
		})
	}
	waitIdle(t, e)
}

func TestErrors_whatIsThere(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	e := f.engine()
	try := func(e *Engine, want error) {
		t.Helper()
		if _, err := e.Read(patient(t), "a"); !errors.Is(err, want) {
			t.Errorf("read: %v, want %v", err, want)
		}
		if _, err := e.Apply(patient(t), Change{Summary: "x", Edits: []Edit{write("a", "1")}}); !errors.Is(err, want) {
			t.Errorf("apply: %v, want %v", err, want)
		}
	}
	try(e, ErrEmptyRepository)
	f.seed(map[string]string{"a": "1"})
	try(f.engine(func(c *Config) { c.Branch = "release" }), ErrBranchNotFound)
	try(f.engine(func(c *Config) { c.URL += "-of-nobody" }), ErrRepositoryNotFound)
	if _, err := e.Read(patient(t), "a"); err != nil {
		t.Errorf("after the first commit: %v", err)
	}
	f.git("branch", "other", "main")
	f.git("update-ref", "-d", "refs/heads/main")
	_, err := e.Apply(patient(t), Change{Summary: "x", Edits: []Edit{write("a", "2")}})
	if !errors.Is(err, ErrBranchNotFound) {
		t.Errorf("apply to a deleted branch: %v, want ErrBranchNotFound", err)
	}
}

// TestErrors_defaultBranch: where the branch is not there, the default branch is named, over HTTP and SSH.
func TestErrors_defaultBranch(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	f.git("branch", "--move", "main", "trunk")
	f.git("symbolic-ref", "HEAD", "refs/heads/trunk")
	key, signer := forge.SSHKey()
	for name, e := range map[string]*Engine{"https": f.engine(), "ssh": f.ssh(signer.PublicKey()).engine(key)} {
		t.Run(name, func(t *testing.T) {
			var other *BranchNotFoundError
			_, err := e.Read(patient(t), "a")
			if !errors.As(err, &other) || !errors.Is(err, ErrBranchNotFound) || other.Default != "trunk" || !strings.Contains(err.Error(), "the default branch is trunk") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestErrors_signature(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"Commits must have verified signatures.":                     true,
		"branch main is protected from unverified commit 0a1b2c3d4e": true,
		"GitLab: Commit must be signed with a GPG key":               true,
		"the commit is unsigned":                                     true,
		"a line Signed-off-by: is missing":                           false,
		"ticket number missing, see the design":                      false,
		"":                                                           false,
	} {
		if got := (&HookDeclinedError{Reason: "pre-receive hook declined", Text: text}).WantsSignature(); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

func TestErrors_connection(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	e := f.engine(func(c *Config) { c.HTTP.CertificateAuthority = "" })
	if _, err := e.Read(patient(t), "a"); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an untrusted server: %v", err)
	}
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "<html>please log in")
	}))
	defer page.Close()
	e = f.engine(func(c *Config) { c.URL, c.HTTP = page.URL+"/x.git", HTTPAuth{AllowInsecure: true} })
	if _, err := e.Read(patient(t), "a"); err == nil || !strings.Contains(err.Error(), "web page") {
		t.Errorf("a web page: %v", err)
	}
}

func TestErrors_namesNoCredentials(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	e := f.engine(func(c *Config) {
		c.URL = strings.Replace(c.URL, "https://", "https://someone@", 1) + "-of-nobody"
	})
	_, err := e.Read(patient(t), "a")
	if err == nil || strings.Contains(err.Error(), password) || strings.Contains(err.Error(), "someone") {
		t.Errorf("got %v", err)
	}
}

// waitIdle waits until the engine's loop has ended.
func waitIdle(t *testing.T, e *Engine) {
	t.Helper()
	ctx := patient(t)
	for {
		e.mu.Lock()
		running := e.running
		e.mu.Unlock()
		if !running {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal("the loop did not end")
		case <-time.After(time.Millisecond):
		}
	}
}

func TestEngine_leavesNothingBehind(t *testing.T) {
	suite.Acceptance(t, "waits for connections to close, alone")
	f := newFixture(t)
	f.seed(packages(5))
	if err := f.SetHook(repository, "pre-receive", "#!/bin/sh\nhead -c 20000 /dev/zero | tr '\\0' x >&2\n"); err != nil {
		t.Fatal(err)
	}
	e := f.engine()
	for i := range 10 {
		apply(t, e, "Write", write("package-1/prod/params.yaml", fmt.Sprint(i)))
	}
	waitIdle(t, e)
	// The connections close when they have been idle for a while, and their goroutines with them.
	ctx := patient(t)
	stacks := make([]byte, 1<<20)
	for {
		dump := string(stacks[:runtime.Stack(stacks, true)])
		if !strings.Contains(dump, "net/http.(*persistConn)") && !strings.Contains(dump, "gitops.(*Engine)") {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("still running:\n%s", dump)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
