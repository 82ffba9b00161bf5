package gitops

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/suite"
)

func TestApply(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	files := packages(40)
	before := f.seed(files)
	e := f.engine()
	commit := apply(t, e, "Install package-3 on prod", write("package-3/prod/packageinstall.yaml", "v2\n"), write("package-3/prod/params.yaml", "replicas: 2\n"))
	requests, pushes := f.requests()
	if requests > 5 || pushes != 1 {
		t.Errorf("a cold write took %d requests, %d pushes; want at most 5 and 1", requests, pushes)
	}
	if !commit.Changed || commit.Hash != f.tip() {
		t.Errorf("got %+v, the tip is %s", commit, f.tip())
	}
	if parent := f.git("rev-parse", "main^"); parent != before.String() {
		t.Errorf("the commit's parent is %s, want %s", parent, before)
	}
	f.reset()
	apply(t, e, "Install package-3 on prod", write("package-3/prod/packageinstall.yaml", "v3\n"))
	if requests, _ := f.requests(); requests != 1 {
		t.Errorf("a warm write took %d requests, want 1", requests)
	}
	f.check(with(files, map[string]string{"package-3/prod/packageinstall.yaml": "v3\n", "package-3/prod/params.yaml": "replicas: 2\n"}))
}

func TestApply_costDoesNotGrowWithTheRepository(t *testing.T) {
	t.Parallel()
	suite.Acceptance(t, "takes long")
	var bytes [2]int64
	for i, size := range []int{20, 1000} {
		f := newFixture(t)
		files := map[string]string{}
		for p := range 20 {
			for c := range size / 20 {
				files[fmt.Sprintf("package-%d/cluster-%d/values.yaml", p, c)] = strings.Repeat(fmt.Sprintf("%d-%d\n", p, c), 100)
			}
		}
		f.seed(files)
		e := f.engine()
		apply(t, e, "One file", write("package-0/cluster-0/values.yaml", "new\n"))
		bytes[i] = f.bytesOut()
	}
	// 49 more clusters in the one package whose directory is read, at some 40 bytes each.
	if grown := bytes[1] - bytes[0]; grown > 4000 {
		t.Errorf("50 times the files: %d bytes more (%d, %d)", grown, bytes[0], bytes[1])
	}
}

func TestApply_deleteDropsEmptyDirectories(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a/b/c": "1", "a/d": "2", "z": "3"})
	e := f.engine()
	apply(t, e, "Remove c", Edit{Path: "a/b/c", Delete: true})
	f.check(map[string]string{"a/d": "2", "z": "3"})
	if entries, err := e.List(patient(t), "a"); err != nil || len(entries) != 1 {
		t.Errorf("listed %v, %v; want d alone", entries, err)
	}
	if got := apply(t, e, "Remove what is not there", Edit{Path: "a/b/c", Delete: true}); got.Changed || got.Hash != f.tip() {
		t.Errorf("removing a missing file: %+v", got)
	}
	apply(t, e, "A file where the directory was", write("a/b", "x"))
	f.check(map[string]string{"a/b": "x", "a/d": "2", "z": "3"})
	apply(t, e, "Remove all", Edit{Path: "a/b", Delete: true}, Edit{Path: "a/d", Delete: true}, Edit{Path: "z", Delete: true})
	f.check(map[string]string{})
	apply(t, e, "Begin again", write("p/q/r", "new"))
	f.check(map[string]string{"p/q/r": "new"})
}

func TestApply_noEmptyCommit(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	tip := f.seed(map[string]string{"a/b": "1"})
	e := f.engine()
	if got := apply(t, e, "Nothing new", write("a/b", "1")); got.Changed || got.Hash != tip {
		t.Errorf("got %+v, want the tip %s unchanged", got, tip)
	}
	// The verdict is about the branch as it is now, not as it was known.
	f.seed(map[string]string{"a/b": "2"})
	if got := apply(t, e, "Back to 1", write("a/b", "1")); !got.Changed {
		t.Error("the change was taken for one that the branch already had")
	}
	f.check(map[string]string{"a/b": "1"})
	if got := apply(t, e, "No edits"); got.Changed || got.Hash != f.tip() {
		t.Errorf("no edits: %+v", got)
	}
	if _, pushes := f.requests(); pushes > 2 {
		t.Errorf("%d pushes for one commit", pushes)
	}
}

func TestApply_preconditions(t *testing.T) {
	t.Parallel()
	one, two, none := BlobHash([]byte("1")), BlobHash([]byte("2")), Hash{}
	for _, test := range []struct {
		name string
		edit Edit
		want *PreconditionError
	}{
		{"the blob expected", Edit{Path: "a/b", Data: []byte("new"), IfBlob: &one}, nil},
		{"another blob", Edit{Path: "a/b", Data: []byte("new"), IfBlob: &two}, &PreconditionError{Path: "a/b", Want: two, Have: one}},
		{"a new file", Edit{Path: "a/c", Data: []byte("new"), IfBlob: &none}, nil},
		{"not a new file", Edit{Path: "a/b", Data: []byte("new"), IfBlob: &none}, &PreconditionError{Path: "a/b", Want: none, Have: one}},
		{"gone", Edit{Path: "a/c", Data: []byte("new"), IfBlob: &one}, &PreconditionError{Path: "a/c", Want: one, Have: none}},
		{"delete the blob expected", Edit{Path: "a/b", Delete: true, IfBlob: &one}, nil},
		{"delete another blob", Edit{Path: "a/b", Delete: true, IfBlob: &two}, &PreconditionError{Path: "a/b", Want: two, Have: one}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			f.seed(map[string]string{"a/b": "1", "x": "y"})
			_, err := f.engine().Apply(patient(t), Change{Summary: test.name, Edits: []Edit{write("x", "z"), test.edit}})
			var got *PreconditionError
			if errors.As(err, &got); test.want == nil && err != nil || test.want != nil && (got == nil || *got != *test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if x, _ := f.Files(repository, "main"); test.want != nil && x["x"] != "y" {
				t.Error("half of a change is on the branch")
			}
		})
	}
}

func TestApply_refusesPaths(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a/b": "1"})
	e := f.engine()
	for _, path := range []string{"", "/a", "a/", "a//b", ".", "../a", "a/../b", "a/./b", ".git/config", "a/.GIT/hooks/x", "a/GIT~1", "a\x00b", "a", "a/b/c"} {
		if _, err := e.Apply(patient(t), Change{Summary: "bad", Edits: []Edit{write(path, "x")}}); !errors.As(err, new(*PathError)) {
			t.Errorf("write %q: %v, want *PathError", path, err)
		}
	}
	for _, edits := range [][]Edit{{write("x", "1"), write("x", "2")}, {write("x", "1"), write("x/y", "2")}} {
		if _, err := e.Apply(patient(t), Change{Summary: "bad", Edits: edits}); !errors.As(err, new(*PathError)) {
			t.Errorf("edits that exclude each other: %v, want *PathError", err)
		}
	}
	if _, pushes := f.requests(); pushes != 0 {
		t.Errorf("%d pushes", pushes)
	}
}

func TestApply_together(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	files := packages(10)
	f.seed(files)
	e := f.engine()
	var callers sync.WaitGroup
	want := map[string]string{}
	commits := sync.Map{}
	// A push is let through when every writer that has work left is waiting, so that the count does not hang on the machine's speed.
	var inside, working atomic.Int32
	working.Store(10)
	f.faulty(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if pushes(r) {
				waitFor(t, func() bool { return inside.Load() >= working.Load() })
			}
			next.ServeHTTP(w, r)
		})
	})
	for g := range 10 {
		for i := range 10 {
			want[fmt.Sprintf("package-%d/cluster-%d/params.yaml", g, i)] = fmt.Sprintf("%d %d\n", g, i)
		}
		callers.Go(func() {
			defer working.Add(-1)
			for i := range 10 {
				inside.Add(1)
				commit, err := e.Apply(patient(t), Change{
					Summary: fmt.Sprintf("Install package-%d on cluster-%d", g, i),
					Edits:   []Edit{write(fmt.Sprintf("package-%d/cluster-%d/params.yaml", g, i), fmt.Sprintf("%d %d\n", g, i))},
				})
				inside.Add(-1)
				if err != nil || !commit.Changed {
					t.Errorf("%+v, %v", commit, err)
				}
				commits.Store(commit.Hash, true)
			}
		})
	}
	callers.Wait()
	requests, pushes := f.requests()
	t.Logf("100 writes from 10 goroutines: %d pushes, %d requests", pushes, requests)
	if pushes > 21 {
		t.Errorf("100 writes from 10 goroutines took %d pushes, want at most 21", pushes)
	}
	if got := f.commits(); got != fmt.Sprint(pushes+1) {
		t.Errorf("%s commits, want %d", got, pushes+1)
	}
	distinct := 0
	commits.Range(func(any, any) bool { distinct++; return true })
	if distinct != pushes {
		t.Errorf("callers were told of %d commits, %d were pushed", distinct, pushes)
	}
	f.check(with(files, want))
}

// TestApply_expected: callers that have announced their changes share one push, however late they are. One that takes its announcement
// back holds nobody up.
func TestApply_expected(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(packages(5))
	e := f.engine()
	ctx := patient(t)
	dropped := e.Expect()
	var expected []*Expectation
	for range 5 {
		expected = append(expected, e.Expect())
	}
	before := make(chan struct{})
	var callers sync.WaitGroup
	for i, x := range expected {
		callers.Go(func() {
			if i > 0 { // the first one is there long before the others
				<-before
			}
			_, err := e.Apply(ctx, Change{Summary: "Write", Edits: []Edit{write(fmt.Sprintf("package-%d/prod/params.yaml", i), "replicas: 2\n")}, Expected: x})
			if err != nil {
				t.Error(err)
			}
			x.Drop()
		})
	}
	waitFor(t, func() bool {
		_, pushes := f.requests()
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.expected == 5 && pushes == 0
	})
	close(before)
	waitFor(t, func() bool { e.mu.Lock(); defer e.mu.Unlock(); return e.expected == 1 })
	dropped.Drop()
	dropped.Drop()
	callers.Wait()
	if _, pushes := f.requests(); pushes != 1 {
		t.Errorf("%d pushes, want 1", pushes)
	}
	if e.expected != 0 {
		t.Errorf("%d are still expected", e.expected)
	}
}

// TestApply_slowPushes: where pushes take long, a caller of the last round who is late is waited for.
func TestApply_slowPushes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(packages(5))
	const push, late = 2 * time.Second, 2 * maxLinger
	var slow atomic.Bool
	f.faulty(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if pushes(r) && slow.Load() {
				time.Sleep(push)
			}
			next.ServeHTTP(w, r)
		})
	})
	for range 10 { // unless the machine is too busy for a caller to come in time
		e := f.engine()
		ctx := patient(t)
		begin := func(name string) <-chan outcome { return start(ctx, e, write(name, fmt.Sprint(time.Now()))) }
		slow.Store(true)
		for _, got := range f.together(e, func() <-chan outcome { return begin("a") }, func() <-chan outcome { return begin("b") }) {
			f.landed(<-got)
		}
		slow.Store(false)
		f.reset()
		queued := func() time.Time { e.mu.Lock(); defer e.mu.Unlock(); return e.queued }
		before := queued()
		first := begin("a")
		waitFor(t, func() bool { return queued().After(before) })
		before = queued()
		time.Sleep(late)
		second := begin("b")
		waitFor(t, func() bool { return queued().After(before) })
		came := queued().Sub(before)
		if one, two := <-first, <-second; one.err != nil || two.err != nil {
			t.Fatal(one.err, two.err)
		}
		if came > push/2 {
			continue
		}
		if _, pushes := f.requests(); pushes != 1 {
			t.Errorf("a caller who was late by %s after a push of %s took a push more", came, push)
		}
		return
	}
}

func TestLingers(t *testing.T) {
	t.Parallel()
	for push, want := range map[time.Duration][2]time.Duration{
		0:                      {minLinger, longestLinger},
		200 * time.Millisecond: {200 * time.Millisecond, longestLinger},
		400 * time.Millisecond: {maxLinger, longestLinger},
		800 * time.Millisecond: {400 * time.Millisecond, longestLinger},
		3 * time.Second:        {1500 * time.Millisecond, 3 * time.Second},
		time.Hour:              {slowLinger, 2 * slowLinger},
	} {
		if one, most := lingers(push); one != want[0] || most != want[1] {
			t.Errorf("after a push of %s: %s, at most %s; want %v", push, one, most, want)
		}
	}
}

func TestApply_oneBadChangeFailsAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	e := f.engine()
	var callers sync.WaitGroup
	none := Hash{}
	var refused atomic.Int32
	want := map[string]string{"a": "1"}
	for i := range 8 {
		path := fmt.Sprintf("b/%d", i)
		edit := write(path, "x")
		if i%4 == 0 {
			edit = Edit{Path: "a", Data: []byte("2"), IfBlob: &none}
		} else {
			want[path] = "x"
		}
		callers.Go(func() {
			if _, err := e.Apply(patient(t), Change{Summary: path, Edits: []Edit{edit}}); errors.As(err, new(*PreconditionError)) {
				refused.Add(1)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	if refused.Load() != 2 {
		t.Errorf("%d changes were turned down, want 2", refused.Load())
	}
	f.check(want)
}

func TestApply_somebodyElsesPush(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	files := packages(5)
	f.seed(files)
	e := f.engine()
	apply(t, e, "First", write("package-1/prod/params.yaml", "1"))
	f.seed(map[string]string{"package-2/prod/params.yaml": "theirs", "package-1/staging/params.yaml": "theirs"})
	f.reset()
	apply(t, e, "Second", write("package-1/prod/params.yaml", "2"))
	if requests, _ := f.requests(); requests > 5 {
		t.Errorf("recovering from somebody else's push took %d requests, want at most 5", requests)
	}
	f.check(with(files, map[string]string{
		"package-1/prod/params.yaml": "2", "package-2/prod/params.yaml": "theirs", "package-1/staging/params.yaml": "theirs",
	}))
	// A precondition holds against what they have pushed, not against what was known.
	blob := BlobHash([]byte("2"))
	f.seed(map[string]string{"package-1/prod/params.yaml": "theirs as well"})
	_, err := e.Apply(patient(t), Change{Summary: "Third", Edits: []Edit{{Path: "package-1/prod/params.yaml", Data: []byte("3"), IfBlob: &blob}}})
	if !errors.As(err, new(*PreconditionError)) {
		t.Errorf("got %v, want *PreconditionError", err)
	}
}

func TestApply_severalProcesses(t *testing.T) {
	t.Parallel()
	suite.Acceptance(t, "takes long")
	f := newFixture(t)
	files := packages(4)
	f.seed(files)
	var writers sync.WaitGroup
	want := map[string]string{}
	for p := range 4 {
		e := f.engine()
		for i := range 15 {
			want[fmt.Sprintf("package-%d/cluster-%d/params.yaml", i%4, 100*p+i)] = "x"
		}
		for g := range 3 {
			writers.Go(func() {
				for i := g; i < 15; i += 3 {
					if _, err := e.Apply(patient(t), Change{
						Summary: "Install", Edits: []Edit{write(fmt.Sprintf("package-%d/cluster-%d/params.yaml", i%4, 100*p+i), "x")},
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	writers.Wait()
	f.check(with(files, want))
	if merges := f.git("rev-list", "--count", "--min-parents=2", "main"); merges != "0" {
		t.Errorf("%s merge commits", merges)
	}
}

func TestApply_keepsOtherEntries(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	blob := f.gitIn("x", "hash-object", "-w", "--stdin")
	inner := f.gitIn(fmt.Sprintf("100664 blob %s\tgroup-writable\n120000 blob %s\tlink\n160000 commit %s\tmodule\n100755 blob %s\trun\n100644 blob %s\t\"odd\\tname \\303\\251\\\\\"\n",
		blob, blob, strings.Repeat("12", 20), blob, blob), "mktree", "--missing")
	root := f.gitIn(fmt.Sprintf("040000 tree %s\td\n100644 blob %s\td.txt\n100644 blob %s\td-x\n", inner, blob, blob), "mktree")
	f.git("update-ref", "refs/heads/main", f.git("commit-tree", "-m", "odd entries", root))
	before := f.git("ls-tree", "-r", "main")
	e := f.engine()
	apply(t, e, "Write", write("d/new", "1"), write("d/run", "2"), write("e/f", "3"))
	want := map[string]bool{}
	for line := range strings.Lines(before) {
		if !strings.HasSuffix(strings.TrimSpace(line), "\td/run") {
			want[strings.TrimSpace(line)] = true
		}
	}
	after := f.git("ls-tree", "-r", "main")
	for line := range strings.Lines(after) {
		delete(want, strings.TrimSpace(line))
	}
	if len(want) != 0 {
		t.Errorf("lost or changed: %v in\n%s", want, after)
	}
	if !strings.Contains(after, "100755 blob "+BlobHash([]byte("2")).String()+"\td/run") {
		t.Errorf("the executable file is not one any more:\n%s", after)
	}
	f.git("fsck", "--no-dangling")
	for _, path := range []string{"d/link", "d/module"} {
		if _, err := e.Apply(patient(t), Change{Summary: "Write", Edits: []Edit{write(path, "x")}}); !errors.As(err, new(*PathError)) {
			t.Errorf("write over %s: %v, want *PathError", path, err)
		}
	}
	if got := apply(t, e, "Write the same", write("d/group-writable", "x")); got.Changed {
		t.Error("a file of mode 100664 was written again for its mode")
	}
}

func TestApply_message(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	e := f.engine(func(c *Config) {
		c.AuthorName, c.AuthorEmail, c.MessageAppendix = "Ada", "ada@example.com", "Change-Control: 42\n"
		c.Trailers = []Trailer{{"TFC-Run-ID", "run-123"}, {"TFC-Workspace-Name", "prod\nevil: yes"}, {"Empty", ""}}
	})
	apply(t, e, "Install a\nsecond line", write("a", "2"))
	want := "Install a second line\n\nProvider: terraform-provider-carvel/1.2.3\nTFC-Run-ID: run-123\nTFC-Workspace-Name: prod evil: yes\nChange-Control: 42"
	if got := f.git("log", "-1", "--format=%B"); got != want {
		t.Errorf("message\n%s\nwant\n%s", got, want)
	}
	if got := f.git("log", "-1", "--format=%an <%ae> %cn <%ce>"); got != "Ada <ada@example.com> Ada <ada@example.com>" {
		t.Errorf("author and committer %s", got)
	}
	want = "Apply 2 changes\n\n- one\n- two\n\nProvider: terraform-provider-carvel/1.2.3\nTFC-Run-ID: run-123\nTFC-Workspace-Name: prod evil: yes\nChange-Control: 42\n"
	if got := e.target.message([]string{"one", "two"}); got != want {
		t.Errorf("message\n%s\nwant\n%s", got, want)
	}
}
