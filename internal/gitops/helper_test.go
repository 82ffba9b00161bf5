package gitops

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitserver"
)

// patience bounds a test that hangs; no test depends on how long something takes.
const patience = 2 * time.Minute

const username, password, repository = "writer", "s3cret", "gitops"

// fixture is a real Git server with one repository, and what it was asked.
type fixture struct {
	*gitserver.Server
	t *testing.T

	mu        sync.Mutex
	exchanges []gitserver.Exchange
	intercept func(next http.Handler) http.Handler
	config    []string
}

type choice func(*fixture)

func withConfig(settings ...string) choice {
	return func(f *fixture) { f.config = settings }
}

// newFixture has an empty repository; seed gives it commits.
func newFixture(t *testing.T, choices ...choice) *fixture {
	t.Helper()
	f := &fixture{t: t, config: []string{gitserver.AllowFilter, gitserver.AllowAnySHA1InWant}}
	for _, choose := range choices {
		choose(f)
	}
	server, err := gitserver.Start(gitserver.Options{
		Dir: t.TempDir(), Username: username, Password: password,
		Observe: func(e gitserver.Exchange) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.exchanges = append(f.exchanges, e)
		},
		Intercept: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				f.mu.Lock()
				intercept := f.intercept
				f.mu.Unlock()
				if intercept == nil {
					next.ServeHTTP(w, r)
					return
				}
				intercept(next).ServeHTTP(w, r)
			})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Server = server
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := server.CreateRepository(repository, f.config...); err != nil {
		t.Fatal(err)
	}
	return f
}

// faulty puts a fault between the engines and the server; nil takes it away.
func (f *fixture) faulty(intercept func(next http.Handler) http.Handler) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.intercept = intercept
}

func (f *fixture) seed(files map[string]string, remove ...string) Hash {
	f.t.Helper()
	commit, err := f.Seed(repository, "somebody else's change", files, remove...)
	if err != nil {
		f.t.Fatal(err)
	}
	return mustHash(f.t, commit)
}

// packages is a repository of the layout PACKAGE/RUN-CLUSTER/file.
func packages(n int) map[string]string {
	files := map[string]string{"README.md": "# GitOps\n"}
	for i := range n {
		for _, cluster := range []string{"prod", "staging"} {
			files[fmt.Sprintf("package-%d/%s/packageinstall.yaml", i, cluster)] = fmt.Sprintf("package: %d\ncluster: %s\n", i, cluster)
			files[fmt.Sprintf("package-%d/%s/params.yaml", i, cluster)] = "replicas: 1\n"
		}
	}
	return files
}

// generate gives the repository what is written for git fast-import.
func (f *fixture) generate(write func(io.Writer)) {
	f.t.Helper()
	r, w := io.Pipe()
	go func() {
		write(w)
		_ = w.Close()
	}()
	if _, err := f.Git(repository, r, "fast-import", "--quiet", "--date-format=now"); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) git(args ...string) string {
	f.t.Helper()
	out, err := f.Git(repository, nil, args...)
	if err != nil {
		f.t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

func (f *fixture) tip() Hash { return mustHash(f.t, f.git("rev-parse", "refs/heads/main")) }

func (f *fixture) commits() string { return f.git("rev-list", "--count", "refs/heads/main") }

// check compares the branch with what it must hold, and the repository with Git's own idea of a sound one.
func (f *fixture) check(want map[string]string) {
	f.t.Helper()
	got, err := f.Files(repository, "refs/heads/main")
	if err != nil {
		f.t.Fatal(err)
	}
	for path, content := range want {
		if got[path] != content {
			f.t.Errorf("%s holds %q, want %q", path, got[path], content)
		}
		delete(got, path)
	}
	for path := range maps.Keys(got) {
		f.t.Errorf("%s is on the branch and should not be", path)
	}
	f.git("fsck", "--strict", "--no-dangling")
}

// requests counts what the server has been asked since the last reset.
func (f *fixture) requests() (all, pushes int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.exchanges {
		if e.Push() {
			pushes++
		}
	}
	return len(f.exchanges), pushes
}

func (f *fixture) bytesOut() (n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.exchanges {
		n += e.BytesOut
	}
	return n
}

func (f *fixture) bytesIn() (n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.exchanges {
		n += e.BytesIn
	}
	return n
}

func (f *fixture) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.exchanges = nil
}

func (f *fixture) target() Config {
	return Config{
		URL: f.URL(repository), UserAgent: "terraform-provider-carvel/1.2.3",
		HTTP: HTTPAuth{Username: username, Password: password, CertificateAuthority: f.CertificateAuthority()},
	}
}

// engine is a new one, as another process would have it.
func (f *fixture) engine(changes ...func(*Config)) *Engine {
	f.t.Helper()
	config := f.target()
	for _, change := range changes {
		change(&config)
	}
	t, err := config.normalize()
	if err != nil {
		f.t.Fatal(err)
	}
	return newEngine(t)
}

func patient(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func mustHash(t *testing.T, s string) Hash {
	t.Helper()
	id, err := ParseHash(strings.TrimSpace(s))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func write(path, content string) Edit { return Edit{Path: path, Data: []byte(content)} }

func apply(t *testing.T, e *Engine, summary string, edits ...Edit) Commit {
	t.Helper()
	commit, err := e.Apply(patient(t), Change{Summary: summary, Edits: edits})
	if err != nil {
		t.Fatalf("%s: %v", summary, err)
	}
	return commit
}

func with(files map[string]string, changes map[string]string) map[string]string {
	files = maps.Clone(files)
	for path, content := range changes {
		if content == "" {
			delete(files, path)
			continue
		}
		files[path] = content
	}
	return files
}

// pushes reports whether a request carries a pack to the server.
func pushes(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/git-receive-pack")
}

func (f *fixture) gitIn(stdin string, args ...string) string {
	f.t.Helper()
	out, err := f.Git(repository, strings.NewReader(stdin), args...)
	if err != nil {
		f.t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

func waitFor(t *testing.T, condition func() bool) {
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Error("waited in vain")
			return
		}
	}
}

// treeAt is the id of a directory at a commit.
func treeAt(t *testing.T, e *Engine, commit Hash, dir string) (Hash, error) {
	entries, err := e.Entries(patient(t), commit, dir)
	if err != nil {
		return Hash{}, err
	}
	return entries[0].Hash, nil
}
