package interrupted_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/hashicorp/terraform-plugin-testing/config"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// stage is what a world has been brought to: nothing, or the fixture with one
// value or the other.
type stage int

const (
	absent stage = iota
	first
	second
)

var values = map[stage]string{absent: "first", first: "first", second: "second"}

// step brings a world to a stage.
type step struct {
	name string
	to   stage
	args []string
}

var (
	create  = step{"create", first, []string{"apply", "-auto-approve"}}
	update  = step{"update", second, []string{"apply", "-auto-approve"}}
	destroy = step{"destroy", absent, []string{"destroy", "-auto-approve"}}
	steps   = []step{create, update, destroy}
)

// begins reports whether a step may begin at a stage. A destroy begins in any but absent.
func (s step) begins(at stage) bool {
	if s.to == absent {
		return at != absent
	}
	return at == s.to-1
}

// scenario is a fixture in one size.
type scenario struct {
	fixture    string
	size       int
	deliveries bool // there are objects on clusters, and not only files
}

// world is a work directory with its state, and all that is made from it.
type world struct {
	*acctest.Env
	scenario
	program             *acctest.Program
	repository, commits *acctest.Repository // for the test, and for watching beside it
	git                 *gitProxy           // of a world without deliveries: the controller cannot reach it
	key                 *age.X25519Identity
	at                  stage
	all                 []kind
}

// newWorld is absent, with its packages in the repository. What is left of it at
// the end of the test is removed.
func newWorld(t *testing.T, s scenario) *world {
	t.Helper()
	e := acctest.New(t)
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{Env: e, scenario: s, repository: e.Repository(), commits: e.Repository(), key: key}
	if s.deliveries {
		e.BuildNamespace()
	}
	if !s.deliveries {
		w.git = w.proxyGit()
	}
	packages := map[string]string{}
	for _, id := range w.ids() {
		packages[w.packageDir(id)+"/packages/1.0.0.yaml"] = w.packageFile(id)
	}
	w.repository.Write("Add packages of "+e.Name, packages)
	w.program = acctest.Fixture{Env: e, Dir: s.fixture}.Program()
	t.Cleanup(w.clear)
	return w
}

func (w *world) ids() []string {
	ids := make([]string, w.size)
	for i := range ids {
		ids[i] = fmt.Sprintf("%02d", i)
	}
	return ids
}

func (w *world) packageDir(id string) string { return "p" + id + "." + w.Package() }

// paths is the pattern of all files of the world.
func (w *world) paths() string { return "*." + w.Package() + "/*" }

func cluster(id string) string {
	if strings.ContainsAny(id[1:], "02468") {
		return "staging"
	}
	return "prod"
}

// packageFile is a package whose ConfigMap holds the value.
func (w *world) packageFile(id string) string {
	return fmt.Sprintf(`apiVersion: data.packaging.carvel.dev/v1alpha1
kind: Package
metadata:
  name: %[1]s.1.0.0
spec:
  refName: %[1]s
  version: 1.0.0
  template:
    spec:
      fetch:
      - inline:
          paths:
            schema.yaml: |
              #@data/values-schema
              ---
              value: ""
              key: ""
              password: ""
            config.yaml: |
              #@ load("@ytt:data", "data")
              ---
              apiVersion: v1
              kind: ConfigMap
              metadata:
                name: workload
              data:
                value: #@ data.values.value
      template:
      - ytt: {}
      deploy:
      - kapp: {}
`, w.packageDir(id))
}

func (w *world) vars(to stage) config.Variables {
	vars := config.Variables{
		"size": config.IntegerVariable(w.size), "value": config.StringVariable(values[to]),
		"recipient": config.StringVariable(w.key.Recipient().String()),
	}
	if w.git != nil {
		vars["git_url"], vars["git_ca"] = config.StringVariable(w.git.url), config.StringVariable(w.git.ca)
	}
	return vars
}

// running is a terraform that has been started.
type running struct {
	*os.Process
	began time.Time
	done  chan struct{} // closed at its end
	out   string
	err   error
	took  time.Duration
}

// start starts terraform with the variables of a stage; those of absent, like a
// practitioner's at a destroy, are those of the last apply.
func (w *world) start(vars stage, args ...string) *running {
	if vars == absent {
		vars = w.at
	}
	r := &running{began: time.Now(), done: make(chan struct{})}
	process, end := w.program.Start(w.vars(vars), args...)
	r.Process = process
	go func() {
		defer close(r.done)
		r.out, r.err = end()
		r.took = time.Since(r.began)
	}()
	return r
}

// within waits for the end, and ends terraform if that takes too long.
func (r *running) within(limit time.Duration) (inTime bool) {
	select {
	case <-r.done:
		return true
	case <-time.After(limit):
	}
	_ = r.Kill()
	<-r.done
	return false
}

// run runs terraform to its end.
func (w *world) run(vars stage, args ...string) (out string, err error) {
	r := w.start(vars, args...)
	if !r.within(patience) {
		return r.out, fmt.Errorf("terraform %s has not ended within %s and was killed", args[0], patience)
	}
	return r.out, r.err
}

// bring does a step without any disturbance.
func (w *world) bring(s step) (time.Duration, error) {
	began := time.Now()
	out, err := w.run(s.to, s.args...)
	if err != nil {
		return 0, fmt.Errorf("undisturbed %s: %w\n%s", s.name, err, result(out))
	}
	w.at = s.to
	return time.Since(began), nil
}

// result is what terraform has said after its plan.
func result(out string) string {
	if _, after, found := strings.Cut(out, "Plan: "); found {
		return "Plan: " + after
	}
	return out
}

// kept is a resource in the state.
type kept struct {
	tainted    bool
	incomplete bool // the next apply goes on with it in place
}

// state are the resources in the state file, by address.
func (w *world) state() (map[string]kept, error) {
	data, err := os.ReadFile(w.program.Path("terraform.tfstate"))
	if os.IsNotExist(err) || err == nil && len(data) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var file struct {
		Resources []struct {
			Mode, Type, Name string
			Instances        []struct {
				Key        any    `json:"index_key"`
				Status     string `json:"status"`
				Attributes struct {
					Creation string `json:"creation"`
				} `json:"attributes"`
			}
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("terraform.tfstate: %w", err)
	}
	resources := map[string]kept{}
	for _, r := range file.Resources {
		for _, i := range r.Instances {
			resources[fmt.Sprintf("%s.%s[%q]", r.Type, r.Name, i.Key)] = kept{
				tainted: i.Status == "tainted", incomplete: strings.HasPrefix(i.Attributes.Creation, "incomplete:"),
			}
		}
	}
	return resources, nil
}

// mend puts the backup in the place of a state file that terraform was killed
// over while it wrote it. It reports whether it has.
func (w *world) mend() (bool, error) {
	data, err := os.ReadFile(w.program.Path("terraform.tfstate"))
	if err != nil || len(data) > 0 && json.Valid(data) {
		return false, nil // none has been written, or a whole one
	}
	backup, err := os.ReadFile(w.program.Path("terraform.tfstate.backup"))
	if os.IsNotExist(err) || len(bytes.TrimSpace(backup)) == 0 {
		return len(data) > 0, os.Remove(w.program.Path("terraform.tfstate"))
	}
	if err != nil {
		return false, err
	}
	return true, os.WriteFile(w.program.Path("terraform.tfstate"), backup, 0o600)
}

// quiet waits until no object and no file comes or goes any more.
func (w *world) quiet() snapshot {
	last, since := w.look(), time.Now()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline) && time.Since(since) < time.Second; {
		time.Sleep(200 * time.Millisecond)
		now := w.look()
		if !now.same(last) {
			since = time.Now()
		}
		last = now
	}
	return last
}

// eventually looks until nothing is wrong any more, for a while: what was
// deleted may take a moment to go.
func eventually(limit time.Duration, look func() []string) []string {
	for deadline := time.Now().Add(limit); ; time.Sleep(250 * time.Millisecond) {
		wrong := look()
		if len(wrong) == 0 || time.Now().After(deadline) {
			return wrong
		}
	}
}

// end ends the processes of the world.
func (w *world) end() {
	for _, p := range w.program.Processes() {
		p.Kill()
	}
}

// clear removes what is left of the world, in whatever shape it is.
func (w *world) clear() {
	w.end()
	ctx := context.Background()
	if w.deliveries {
		w.clearClusters(ctx)
	}
	// The end of a failed test destroys what is in the state.
	if err := os.Remove(w.program.Path("terraform.tfstate")); err != nil && !os.IsNotExist(err) {
		w.T.Error(err)
	}
	files := w.repository.Files(w.paths())
	for path := range files {
		files[path] = ""
	}
	w.repository.Write("Remove packages of "+w.Name, files)
}
