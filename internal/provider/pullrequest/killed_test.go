package pullrequest_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// TestAccPullRequest_killed: whatever write an apply is killed before or after, the next one finds the branch and the request, and opens
// no second one.
func TestAccPullRequest_killed(t *testing.T) {
	t.Parallel()
	if !acctest.ShowsProcesses() {
		t.Skip("this system does not show processes as Linux does")
	}
	rule := approvals(0)
	rule["enable_status_check"], rule["status_check_contexts"] = true, []string{"ci"} // so that it stays open
	s := newScene(t, rule)
	s.must(s.repo.Do(t.Context(), http.MethodPost, "/labels", map[string]any{"name": "delivery", "color": "#00ff00"}, nil))
	for number := int64(1); ; number++ {
		struck := false
		for _, after := range []bool{false, true} {
			branch := fmt.Sprintf("terraform/%d-%v", number, after)
			now := settings{
				"installs": map[string]string{fmt.Sprintf("package-%d-%v.example.com", number, after): "1.0.0"}, "push_branch": branch,
				"request": settings{"labels": []string{"delivery"}, "body": "Please look.", "auto_merge": true},
			}
			if !s.strike(now, number, after) {
				continue
			}
			struck = true
			s.apply(now)
			s.quiet(now)
			var open []struct {
				Head struct {
					Ref string `json:"ref"`
				} `json:"head"`
				Labels []struct{ Name string } `json:"labels"`
			}
			s.must(s.repo.Do(t.Context(), http.MethodGet, "/pulls?state=all&limit=50", nil, &open))
			of := 0
			for _, r := range open {
				if r.Head.Ref == branch {
					if of++; len(r.Labels) != 1 {
						t.Errorf("write %d, after %v: the request has the labels %v", number, after, r.Labels)
					}
				}
			}
			if of != 1 {
				t.Errorf("write %d, after %v: %d requests for the branch, want 1", number, after, of)
			}
		}
		if !struck {
			if number < 4 {
				t.Errorf("an apply has only %d writes", number-1)
			}
			return
		}
	}
}

// strike applies in a new workspace, and kills that at a write: before it gets to the forge, or after it and before the answer. It reports
// whether there was so late a write.
func (s *scene) strike(now settings, number int64, after bool) bool {
	s.Helper()
	s.program = s.configuration(s.env)
	program := s.program
	var writes atomic.Int64
	var struck atomic.Bool
	s.traffic.Fault(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			write := r.Method != http.MethodGet && !strings.HasSuffix(r.URL.Path, "/git-upload-pack")
			if !write || writes.Add(1) != number {
				next.ServeHTTP(w, r)
				return
			}
			struck.Store(true)
			if after {
				next.ServeHTTP(discard{http.Header{}}, r)
			}
			program.Kill()
			panic(http.ErrAbortHandler)
		})
	})
	defer s.traffic.Fault(nil)
	_, end := program.Start(s.with(now), "apply", "-auto-approve")
	out, err := end()
	if err == nil == struck.Load() {
		s.Fatalf("struck %v, and terraform has ended with %v: %.1000s", struck.Load(), err, out)
	}
	return struck.Load()
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}
