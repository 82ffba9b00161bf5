package labtest

import (
	"net/http"
	"os"
	"sync"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/binaries"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitea"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitserver"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/suite"
)

// Traffic is what goes between the clients of a forge and the forge.
type Traffic struct {
	mu        sync.Mutex
	exchanges []gitserver.Exchange
	intercept func(next http.Handler) http.Handler
}

// Take are the requests since the last call.
func (w *Traffic) Take() []gitserver.Exchange {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.exchanges
	w.exchanges = nil
	return taken
}

// Fault puts a handler in front of the forge; nil takes it away.
func (w *Traffic) Fault(intercept func(next http.Handler) http.Handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.intercept = intercept
}

func (w *Traffic) observe(e gitserver.Exchange) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.exchanges = append(w.exchanges, e)
}

func (w *Traffic) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		intercept := w.intercept
		w.mu.Unlock()
		if intercept == nil {
			next.ServeHTTP(rw, r)
			return
		}
		intercept(next).ServeHTTP(rw, r)
	})
}

// Forge starts a Gitea of the test's own, which ends with the test. The test is skipped without TF_ACC, and where no Gitea has been built:
// the lab's commands build one if there is a C compiler.
func Forge(t testing.TB) *gitea.Server {
	t.Helper()
	server, _ := ObservedForge(t, nil)
	return server
}

// ObservedForge is Forge with its traffic. settings are lines of app.ini, by section.
func ObservedForge(t testing.TB, settings map[string][]string) (*gitea.Server, *Traffic) {
	t.Helper()
	suite.Acceptance(t, "needs a forge")
	built, ok, err := binaries.BuiltForge(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		t.Skip("no Gitea has been built: make lab-build builds one, with gcc")
	}
	dir, err := os.MkdirTemp("", "gitea") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	traffic := &Traffic{}
	server, err := gitea.Start(t.Context(), gitea.Options{Dir: dir, Forge: built, Settings: settings, Observe: traffic.observe, Intercept: traffic.wrap})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			if text, err := os.ReadFile(dir + "/gitea.log"); err == nil {
				t.Logf("%s", text)
			}
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return server, traffic
}
