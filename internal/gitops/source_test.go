package gitops

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitserver"
)

// source has another password for each request.
type source struct {
	mu    sync.Mutex
	asked int
	err   error
}

func (s *source) Name() string { return "source" }

func (s *source) Token(context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return password, s.err
}

// TestSource: a source of passwords is asked before each request, and what it has not is no refusal of the server.
func TestSource(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(packages(1))
	passwords := &source{}
	e := f.engine(func(c *Config) { c.HTTP.Password, c.HTTP.Source = "", passwords })
	apply(t, e, "One", write("a", "1"))
	requests, _ := f.requests()
	if passwords.asked != requests || requests == 0 {
		t.Errorf("the source was asked %d times for %d requests", passwords.asked, requests)
	}
	passwords.err = errors.New("no token today")
	e = f.engine(func(c *Config) { c.HTTP.Password, c.HTTP.Source, c.UserAgent = "", passwords, "other" })
	f.reset()
	for range 3 {
		if _, err := e.Tip(patient(t)); !errors.Is(err, ErrAuth) || !strings.Contains(err.Error(), "no token today") {
			t.Errorf("got %v", err)
		}
	}
	if requests, _ := f.requests(); requests != 0 || passwords.asked > requests+10 {
		t.Errorf("%d requests went out, and the source was asked %d times", requests, passwords.asked)
	}
	if _, err := Open(Config{URL: f.URL(repository), HTTP: HTTPAuth{Password: "p", Source: passwords}}); err == nil {
		t.Error("a password and a source of them were taken")
	}
}

// TestPushOptions: they go with each push.
func TestPushOptions(t *testing.T) {
	t.Parallel()
	f := newFixture(t, withConfig(gitserver.AllowFilter, gitserver.AllowAnySHA1InWant, "receive.advertisePushOptions=true"))
	f.seed(packages(1))
	if err := f.SetHook(repository, "pre-receive", "#!/bin/sh\necho \"$GIT_PUSH_OPTION_COUNT $GIT_PUSH_OPTION_0 $GIT_PUSH_OPTION_1\" >> options\n"); err != nil {
		t.Fatal(err)
	}
	e := f.engine(func(c *Config) { c.PushOptions = []string{"merge_request.create", "merge_request.title=New = better"} })
	apply(t, e, "One", write("a", "1"))
	apply(t, e, "Two", write("a", "2"))
	got, err := os.ReadFile(filepath.Join(f.RepositoryDir(repository), "options"))
	if want := strings.Repeat("2 merge_request.create=true merge_request.title=New = better\n", 2); err != nil || string(got) != want {
		t.Errorf("the server got %q, %v; want %q", got, err, want)
	}
	f.sound()
}
