package gitops

import (
	"fmt"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/suite"
)

// generated is a fixture with a repository of the benchmarks' layout.
func generated(t *testing.T, s size) *fixture {
	t.Helper()
	f := newFixture(t)
	f.generate(s.generate)
	return f
}

// TestCost: what a cold process sends and gets, in numbers that do not hang on the machine.
func TestCost(t *testing.T) {
	suite.Acceptance(t, "takes long")
	for _, s := range sizes {
		if s.name == "200k" && !*long {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			f := generated(t, s)
			within := func(what string, wantRequests, wantPushes int, wantBytes int64) {
				t.Helper()
				requests, pushes := f.requests()
				if requests > wantRequests || pushes != wantPushes || f.bytesOut() > wantBytes {
					t.Errorf("%s: %d requests, %d pushes, %d bytes; want at most %d, %d, %d", what, requests, pushes, f.bytesOut(), wantRequests, wantPushes, wantBytes)
				}
				f.reset()
			}
			apply(t, f.engine(), "Write", write("package-3/cluster-1/packageinstall.yaml", "1"), write("package-3/cluster-1/params.yaml", "2"))
			within("a cold write", 5, 1, 25_000)
			e := f.engine()
			if _, err := e.Read(patient(t), "package-4/cluster-1/params.yaml"); err != nil {
				t.Fatal(err)
			}
			within("a cold read", 5, 0, 25_000)
			f.seed(map[string]string{"package-4/cluster-1/params.yaml": "theirs"})
			e.Invalidate()
			if _, err := e.Read(patient(t), "package-4/cluster-1/params.yaml"); err != nil {
				t.Fatal(err)
			}
			within("reading what somebody else has pushed", 3, 0, 25_000)
		})
	}
}

// TestCost_sequential: after a prefetch, as a plan does it, every write is one request.
func TestCost_sequential(t *testing.T) {
	suite.Acceptance(t, "takes long")
	f := generated(t, sizes[0])
	e := f.engine()
	path := func(i int) string {
		return fmt.Sprintf("package-%d/cluster-%d/params.yaml", 7*i%sizes[0].packages, i%sizes[0].clusters)
	}
	var paths []string
	for i := range 20 {
		paths = append(paths, path(i))
	}
	if err := e.Prefetch(patient(t), paths...); err != nil {
		t.Fatal(err)
	}
	if requests, _ := f.requests(); requests > 5 {
		t.Errorf("the prefetch took %d requests, want at most 5", requests)
	}
	f.reset()
	for i := range 20 {
		apply(t, e, "Write", write(path(i), fmt.Sprint("new ", i)))
	}
	if requests, pushes := f.requests(); requests != 20 || pushes != 20 {
		t.Errorf("20 writes took %d requests, %d of them pushes; want 20", requests, pushes)
	}
}
