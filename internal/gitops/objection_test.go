package gitops

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// everyone applies as many changes at the same time, and returns their errors.
func everyone(t *testing.T, e *Engine, changes int, path func(int) string) []error {
	t.Helper()
	errs := make([]error, changes)
	var callers sync.WaitGroup
	for i := range changes {
		callers.Go(func() {
			_, errs[i] = e.Apply(patient(t), Change{Summary: fmt.Sprint("Install ", i), Edits: []Edit{write(path(i), "x")}})
		})
	}
	callers.Wait()
	return errs
}

// TestApply_closedBranch: a branch that takes no pushes costs three of them however many changes there are, at once or one after the other,
// and whatever of a change the server names.
func TestApply_closedBranch(t *testing.T) {
	t.Parallel()
	const many = 100
	path := func(i int) string { return fmt.Sprintf("package-%d/prod/params.yaml", i) }
	for name, hook := range map[string]string{
		"says always the same": "echo 'Not allowed to push to protected branch main' >&2\nexit 1\n",
		"names ids and paths": "while read old new ref; do echo \"$ref is protected: $old to $new\" >&2; " +
			"git diff-tree -r --name-only $old $new | sed 's/^/not allowed to change /' >&2; done\nexit 1\n",
	} {
		for _, together := range []bool{true, false} {
			t.Run(fmt.Sprint(name, " together: ", together), func(t *testing.T) {
				t.Parallel()
				f := newFixture(t)
				f.seed(map[string]string{"a": "1"})
				if err := f.SetHook(repository, "pre-receive", "#!/bin/sh\n"+hook); err != nil {
					t.Fatal(err)
				}
				e := f.engine()
				var errs []error
				if together {
					errs = everyone(t, e, many, path)
				} else {
					for i := range many {
						_, err := e.Apply(patient(t), Change{Summary: "Install", Edits: []Edit{write(path(i), "x")}})
						errs = append(errs, err)
					}
				}
				said := map[string]bool{}
				for _, err := range errs {
					if !errors.As(err, new(*HookDeclinedError)) {
						t.Fatalf("got %v, want *HookDeclinedError", err)
					}
					said[err.Error()] = true
				}
				requests, pushes := f.requests()
				t.Logf("%d changes: %d pushes, %d requests, %d texts", many, pushes, requests, len(said))
				if pushes > 3 || requests > 12 {
					t.Errorf("%d changes took %d pushes, %d requests; want at most 3, 12", many, pushes, requests)
				}
				if strings.Contains(name, "same") && len(said) != 1 {
					t.Errorf("%d errors: %v", len(said), said)
				}
				if _, err := e.Read(patient(t), "a"); err != nil {
					t.Errorf("reading needs no right to push: %v", err)
				}
				if err := f.SetHook(repository, "pre-receive", ""); err != nil {
					t.Fatal(err)
				}
				e.Invalidate()
				apply(t, e, "The next run", write("a", "2"))
			})
		}
	}
}

// TestApply_objections: changes that a hook objects to are found among many, each with the same words, and nobody else is turned down.
func TestApply_objections(t *testing.T) {
	t.Parallel()
	script := "#!/bin/sh\nwhile read old new ref; do git ls-tree -r --name-only $new | grep -q bad && { echo 'bad is bad' >&2; exit 1; }; done\nexit 0\n"
	for name, bad := range map[string][]int{"the first": {0}, "the last": {19}, "some": {3, 4, 11}, "one of two": {1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			many := 20
			if name == "one of two" {
				many = 2
			}
			f := newFixture(t)
			f.seed(map[string]string{"a": "1"})
			if err := f.SetHook(repository, "pre-receive", script); err != nil {
				t.Fatal(err)
			}
			e := f.engine()
			var expected []*Expectation
			for range many {
				expected = append(expected, e.Expect())
			}
			want := map[string]string{"a": "1"}
			var callers sync.WaitGroup
			for i := range many {
				path := fmt.Sprintf("good-%d", i)
				for _, b := range bad {
					if i == b {
						path = fmt.Sprintf("bad-%d", i)
					}
				}
				if strings.HasPrefix(path, "good") {
					want[path] = "x"
				}
				callers.Go(func() {
					_, err := e.Apply(patient(t), Change{Summary: path, Edits: []Edit{write(path, "x")}, Expected: expected[i]})
					if bad := errors.As(err, new(*HookDeclinedError)); bad != strings.HasPrefix(path, "bad") || !bad && err != nil {
						t.Errorf("%s: %v", path, err)
					}
				})
				waitFor(t, func() bool { // in this order
					e.mu.Lock()
					defer e.mu.Unlock()
					return e.expected <= many-1-i
				})
			}
			callers.Wait()
			_, pushes := f.requests()
			t.Logf("%d of %d changes are bad: %d pushes", len(bad), many, pushes)
			f.check(want)
		})
	}
}

func TestObjectionWords(t *testing.T) {
	t.Parallel()
	same := []string{
		"remote: package-1/prod/params.yaml is locked.\nsee https://git.example.com/rules/1",
		"remote: package-2/prod/params.yaml is locked.\nremote: package-3/x is locked.\nsee https://git.example.com/rules/2",
		"remote: 0a1b2c3d4e5f is locked.\nsee rules.html",
	}
	for _, text := range same {
		if got := objectionWords(&HookDeclinedError{Reason: "pre-receive hook declined", Text: text}); got != "pre-receive hook declined\nremote: is locked.\nsee" {
			t.Errorf("%q: %q", text, got)
		}
	}
	if objectionWords(&HookDeclinedError{Text: "ticket missing"}) == objectionWords(&HookDeclinedError{Text: "not signed"}) {
		t.Error("two objections are taken for one")
	}
}
