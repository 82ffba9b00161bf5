package pullrequest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/config"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitea"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

const pushBranch = "terraform/prod"

// scene is a Gitea with a repository whose branch main takes no pushes, a robot that may push to others, and a configuration of that robot.
type scene struct {
	*testing.T
	env     *acctest.Env
	server  *gitea.Server
	traffic *labtest.Traffic
	repo    *gitea.Repository
	robot   gitea.User
	program *acctest.Program
	vars    config.Variables
}

// approvals is the rule of main that an approval is required.
func approvals(n int) map[string]any {
	return map[string]any{"enable_push": false, "required_approvals": n, "block_admin_merge_override": false}
}

func newScene(t *testing.T, rule map[string]any) *scene {
	e := acctest.Alone(t)
	s := &scene{T: t, env: e}
	s.server, s.traffic = labtest.ObservedForge(t, nil)
	var err error
	if s.repo, err = s.server.CreateRepository(t.Context(), map[string]string{"README.md": "# GitOps\n"}); err != nil {
		t.Fatal(err)
	}
	s.must(s.repo.Protect(t.Context(), "main", rule))
	s.robot = s.user("robot", "write")
	token, err := s.server.Token(t.Context(), s.robot, "write:repository", "write:issue")
	s.must(err)
	s.vars = config.Variables{
		"forge_token": config.StringVariable(token),
		"git_url":     config.StringVariable(s.repo.URL()), "git_ca": config.StringVariable(s.server.CertificateAuthority()),
		"username": config.StringVariable(s.robot.Name), "password": config.StringVariable(s.robot.Password),
	}
	s.program = s.configuration(e)
	return s
}

func (s *scene) configuration(e *acctest.Env) *acctest.Program { return configurationOf(e, "request") }

func configurationOf(e *acctest.Env, fixture string) *acctest.Program {
	p := (acctest.Fixture{Env: e, Dir: fixture}).Program()
	p.Without = "CARVEL_"
	return p
}

func (s *scene) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *scene) user(name, right string) gitea.User {
	s.Helper()
	u, err := s.server.CreateUser(s.Context(), name)
	s.must(err)
	s.must(s.repo.Collaborate(s.Context(), u, right))
	return u
}

type settings map[string]any

// with are the variables with some others.
func (s *scene) with(more settings) config.Variables {
	s.Helper()
	vars := maps.Clone(s.vars)
	for name, value := range more {
		encoded, err := json.Marshal(value)
		s.must(err)
		vars[name] = raw(encoded)
	}
	return vars
}

// raw is a variable as it is in JSON.
type raw []byte

func (r raw) MarshalJSON() ([]byte, error) { return r, nil }

func (s *scene) apply(more settings, texts ...string) string {
	s.Helper()
	return s.program.Run(s.with(more), []string{"apply", "-auto-approve"}, texts...)
}

func (s *scene) plan(more settings, texts ...string) string {
	s.Helper()
	return s.program.Run(s.with(more), []string{"plan"}, texts...)
}

// quiet is a plan that changes nothing.
func (s *scene) quiet(more settings, texts ...string) {
	s.Helper()
	s.plan(more, append(texts, "No changes.")...)
}

func packages(n int, version string) map[string]string {
	all := map[string]string{}
	for i := range n {
		all[fmt.Sprintf("package-%d.example.com", i)] = version
	}
	return all
}

func file(name string) string { return name + "/prod/packageinstall.yaml" }

type request struct {
	Number         int64  `json:"number"`
	State          string `json:"state"`
	Merged         bool   `json:"merged"`
	Title          string `json:"title"`
	Body           string `json:"body"`
	MergeCommit    string `json:"merge_commit_sha"`
	HTMLURL        string `json:"html_url"`
	ChangedFiles   int    `json:"changed_files"`
	MergeableState bool   `json:"mergeable"`
}

func (s *scene) requests() []request {
	s.Helper()
	var all []request
	s.must(s.repo.Do(s.Context(), http.MethodGet, "/pulls?state=all", nil, &all))
	return all
}

// only is the one request that there is.
func (s *scene) only() request {
	s.Helper()
	all := s.requests()
	if len(all) != 1 {
		s.Fatalf("%d requests, want one: %+v", len(all), all)
	}
	return all[0]
}

func (s *scene) approve(n int64) {
	s.Helper()
	reviewer := s.user("reviewer", "admin")
	s.must(s.server.Do(s.Context(), reviewer, http.MethodPost, fmt.Sprintf("/repos/%s/%s/pulls/%d/reviews", s.repo.Owner, s.repo.Name, n),
		map[string]any{"event": "APPROVED", "body": "fine"}, nil))
}

// merge merges a request as people do; Gitea may be checking it for conflicts still.
func (s *scene) merge(n int64, how string) {
	s.Helper()
	var err error
	for range 50 {
		if err = s.repo.Do(s.Context(), http.MethodPost, fmt.Sprintf("/pulls/%d/merge", n), map[string]any{"Do": how}, nil); err == nil {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	s.Fatal(err)
}

func (s *scene) closeRequest(n int64) {
	s.Helper()
	s.must(s.repo.Do(s.Context(), http.MethodPatch, fmt.Sprintf("/pulls/%d", n), map[string]any{"state": "closed"}, nil))
}

// has checks a file of a branch; an empty text: there is none.
func (s *scene) has(branch, path, text string) {
	s.Helper()
	got, ok := s.repo.File(s.Context(), branch, path)
	if (text == "") == ok || !strings.Contains(got, text) {
		s.Errorf("%s of %s holds %q (%v), want %q", path, branch, got, ok, text)
	}
}

// output is one of the configuration.
func (s *scene) output(name string, into any) {
	s.Helper()
	data, err := os.ReadFile(s.program.Path("terraform.tfstate"))
	s.must(err)
	var state struct {
		Outputs map[string]struct {
			Value json.RawMessage `json:"value"`
		} `json:"outputs"`
	}
	s.must(json.Unmarshal(data, &state))
	s.must(json.Unmarshal(state.Outputs[name].Value, into))
}

type installed map[string]struct{ Commit, Pending *string }

func (s *scene) installs() (all installed) {
	s.Helper()
	s.output("installs", &all)
	return all
}

// pushes counts those since the last call.
func (s *scene) pushes() (pushes, all int) {
	for _, e := range s.traffic.Take() {
		if all++; e.Push() {
			pushes++
		}
	}
	return pushes, all
}
