package gitops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
)

// history commits n changes of other files, with a change of one file by somebody in between.
func (f *fixture) history(before, after int, files map[string]string) Hash {
	f.t.Helper()
	for i := range before {
		f.seed(map[string]string{"package-1/staging/params.yaml": fmt.Sprint("before ", i)})
	}
	changed := f.seed(files)
	var stream strings.Builder
	for i := range after {
		fmt.Fprintf(&stream, "commit refs/heads/main\ncommitter B <b@example.com> now\ndata 5\nLater\n")
		if i == 0 {
			fmt.Fprintf(&stream, "from refs/heads/main^0\n")
		}
		content := fmt.Sprint("after ", i)
		fmt.Fprintf(&stream, "M 100644 inline package-%d/staging/params.yaml\ndata %d\n%s\n", i%3, len(content), content)
	}
	f.gitIn(stream.String(), "fast-import", "--quiet", "--date-format=now")
	return changed
}

func lastChange(t *testing.T, e *Engine, path string) *LastChange {
	t.Helper()
	last, err := e.LastChange(patient(t), path)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return last
}

func TestLastChange(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(packages(5))
	want := f.history(2, 4, map[string]string{"package-1/prod/params.yaml": "theirs"})
	e := f.engine()
	if _, err := e.Read(patient(t), "package-1/prod/params.yaml"); err != nil {
		t.Fatal(err)
	}
	f.reset()
	got := lastChange(t, e, "package-1/prod/params.yaml")
	if got == nil || got.Commit != want {
		t.Fatalf("got %+v, want commit %s", got, want)
	}
	// The commits, then the root, the package and the run cluster of all of them.
	if requests, _ := f.requests(); requests != 4 {
		t.Errorf("it took %d requests, want 4", requests)
	}
	show := func(format string) string { return f.git("show", "-s", "--format="+format, want.String()) }
	if got.Author != show("%an") || got.Email != show("%ae") || got.Subject != show("%s") || fmt.Sprint(got.Time.Unix()) != show("%ct") {
		t.Errorf("got %+v", got)
	}
	// A directory, what the first commit brought, what was removed, and what never was.
	if got := lastChange(t, e, "package-1/prod"); got == nil || got.Commit != want {
		t.Errorf("the directory: %+v", got)
	}
	first := mustHash(t, f.git("rev-list", "--max-parents=0", "main"))
	if got := lastChange(t, e, "README.md"); got == nil || got.Commit != first {
		t.Errorf("README.md: %+v, want %s", got, first)
	}
	removed := f.seed(nil, "package-2/prod/params.yaml")
	e.Invalidate()
	if got := lastChange(t, e, "package-2/prod/params.yaml"); got == nil || got.Commit != removed {
		t.Errorf("the removed file: %+v, want %s", got, removed)
	}
	if got := lastChange(t, e, "nowhere/at/all"); got != nil {
		t.Errorf("what never was: %+v", got)
	}
	if _, err := e.LastChange(patient(t), "a//b"); !errors.As(err, new(*PathError)) {
		t.Errorf("a bad path: %v", err)
	}
}

// TestLastChange_bounds: a search goes further back with few requests, and ends.
func TestLastChange_bounds(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(packages(3))
	want := f.history(0, 300, map[string]string{"package-1/prod/params.yaml": "theirs"})
	e := f.engine()
	if got := lastChange(t, e, "package-1/prod/params.yaml"); got == nil || got.Commit != want {
		t.Errorf("300 commits ago: %+v, want %s", got, want)
	}
	// The tip; three times the commits and three levels of trees.
	if requests, _ := f.requests(); requests > 13 {
		t.Errorf("it took %d requests, want at most 13", requests)
	}
	f.history(0, 300, map[string]string{"x": "y"})
	f.reset()
	e.Invalidate()
	if got := lastChange(t, e, "package-1/prod/params.yaml"); got != nil {
		t.Errorf("600 commits ago: %+v, want nothing", got)
	}
	if requests, _ := f.requests(); requests > 13 {
		t.Errorf("not finding it took %d requests, want at most 13", requests)
	}
	// The engine's own reads and writes are as they were.
	apply(t, e, "Write", write("package-1/prod/params.yaml", "ours"))
	f.git("fsck", "--strict", "--no-dangling")
	if got := lastChange(t, e, "package-1/prod/params.yaml"); got == nil || got.Commit != f.tip() || got.Author != "terraform-provider-carvel" {
		t.Errorf("our own: %+v", got)
	}
}

// TestLastChange_together: callers at the same time share the requests.
func TestLastChange_together(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	first := f.seed(packages(20))
	e := f.engine()
	if _, err := e.Tip(patient(t)); err != nil {
		t.Fatal(err)
	}
	f.reset()
	release, arrived := make(chan struct{}), make(chan struct{}, 100)
	f.faulty(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			arrived <- struct{}{}
			<-release
			next.ServeHTTP(w, r)
		})
	})
	var all sync.WaitGroup
	ask := func(i int) {
		last, err := e.LastChange(patient(t), fmt.Sprintf("package-%d/prod/params.yaml", i))
		if err != nil || last == nil || last.Commit != first {
			t.Errorf("package %d: %+v, %v", i, last, err)
		}
	}
	all.Go(func() { ask(0) })
	<-arrived // the first is under way alone
	for i := range 19 {
		all.Go(func() { ask(i + 1) })
	}
	waitFor(t, func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return len(e.histories) == 19
	})
	close(release)
	all.Wait()
	if requests, _ := f.requests(); requests > 8 {
		t.Errorf("20 searches took %d requests, want at most 8", requests)
	}
}

// TestLastChange_ladder: if the server knows less, the answer is the same or none, and never an error.
func TestLastChange_ladder(t *testing.T) {
	t.Parallel()
	refusingIDs := func() func(http.Handler) http.Handler {
		var mu sync.Mutex
		var sent []byte
		return answering(func(body []byte) {
			mu.Lock()
			defer mu.Unlock()
			sent = body
		}, func(r *http.Request, body []byte) []byte {
			mu.Lock()
			defer mu.Unlock()
			if r.Method == http.MethodPost && bytes.Contains(sent, []byte("want ")) && !bytes.Contains(sent, []byte("deepen ")) {
				return []byte("0021ERR upload-pack: not our ref ")
			}
			return body
		})
	}
	for _, test := range []struct {
		name      string
		config    []string
		intercept func(http.Handler) http.Handler
		known     bool
	}{
		{"tree:0 alone", []string{"uploadpack.allowFilter=true", "uploadpackfilter.tree.maxDepth=0"}, nil, true},
		{"blob:none alone", []string{"uploadpack.allowFilter=true", "uploadpackfilter.tree.allow=false"}, nil, true},
		{"commits alone by id", []string{"uploadpack.allowFilter=true"}, refusingIDs(), true},
		{"no filter", nil, nil, false},
		{"no shallow", []string{"uploadpack.allowFilter=true"}, without("shallow"), false},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t, withConfig(test.config...))
			f.seed(packages(3))
			want := f.history(0, 2, map[string]string{"package-1/prod/params.yaml": "theirs"})
			f.faulty(test.intercept)
			e := f.engine()
			if _, err := e.Read(patient(t), "package-1/prod/params.yaml"); err != nil {
				t.Fatal(err)
			}
			got := lastChange(t, e, "package-1/prod/params.yaml")
			if (got != nil) != test.known || got != nil && got.Commit != want {
				t.Errorf("got %+v, want %s: %t", got, want, test.known)
			}
		})
	}
}

// TestLastChange_stops: a server that hangs holds nobody longer than the caller waits.
func TestLastChange_stops(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(packages(1))
	e := f.engine()
	if _, err := e.Tip(patient(t)); err != nil {
		t.Fatal(err)
	}
	f.faulty(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := e.LastChange(ctx, "README.md"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	f.faulty(nil)
	if _, err := e.Read(patient(t), "README.md"); err != nil {
		t.Error(err)
	}
}

func TestPerson(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]LastChange{
		"Ann Example <ann@example.com> 1700000000 +0100": {Author: "Ann Example", Email: "ann@example.com", Time: time.Unix(1700000000, 0).UTC()},
		"<a@b> 1 +0000": {Email: "a@b", Time: time.Unix(1, 0).UTC()},
		"Ann":           {Author: "Ann"},
		"":              {},
	} {
		t.Run(line, func(t *testing.T) {
			name, email, at := person(line)
			if (LastChange{Author: name, Email: email, Time: at}) != want {
				t.Errorf("%q: %q %q %s", line, name, email, at)
			}
		})
	}
	if got := printable.Line("a\x1b[31m\n b "+strings.Repeat("x", 500), maxWordsBytes); strings.ContainsAny(got, "\x1b\n") || len(got) > 210 {
		t.Errorf("%q", got)
	}
}
