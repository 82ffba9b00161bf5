package ownership_test

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/config"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// target is the package install alone.
var target = "-target=" + addresses("a")[1]

// installs are a program whose repository is reached by way of a proxy.
func installs(t *testing.T) (w *world, p *acctest.Program, git *acctest.Proxy, vars config.Variables) {
	t.Helper()
	w = newWorld(t)
	p = w.program("all")
	git = w.GitProxy()
	p.Replace("  git = {\n", "  git = {\n    url = \""+git.URL+"\"\n")
	return w, p, git, config.Variables{"git_ca": config.StringVariable(git.CA)}
}

const pushed = "/git-receive-pack"

// TestAccOwnership_killedInstall: terraform is killed before the one push of a package
// install, and when the server has taken it.
func TestAccOwnership_killedInstall(t *testing.T) {
	w, p, git, vars := installs(t)
	labels := with(vars, "labels", acctest.ObjectVariable("a", "b"))
	namespace := "-target=" + addresses("a")[0]
	p.Run(vars, []string{"apply", "-auto-approve", namespace}, "1 added")
	for _, s := range []step{
		{vars, apply, cut{git, http.MethodPost, pushed, false}, oneToAdd, oneAdded},
		{vars, destroy, cut{git, http.MethodPost, pushed, false}, nothing, noneAtAll},
		{vars, destroy, cut{git, http.MethodPost, pushed, true}, oneToAdd, oneAdded},
		{labels, apply, cut{git, http.MethodPost, pushed, false}, oneToAlter, oneChanged},
		{vars, apply, cut{git, http.MethodPost, pushed, true}, nothing, noneAtAll},
		{vars, destroy, cut{git, http.MethodPost, pushed, true}, oneToAdd, oneAdded},
	} {
		p.Run(s.vars, []string{"apply", "-auto-approve", namespace}) // what is killed changes the install alone
		s.try(t, p, target)
	}
	p.Run(vars, append([]string{"destroy", "-auto-approve"}, target), "1 destroyed")
	s := step{vars, apply, cut{git, http.MethodPost, pushed, true}, oneToAdd, oneAdded} // what is there is gone on with
	s.try(t, p, target)
	p.Run(vars, []string{"destroy", "-auto-approve"}, "destroyed")
	if files := w.repository.List(w.dir()); len(files) != 1 || !strings.HasSuffix(files[0], ".gitkeep") {
		t.Errorf("left: %v", files)
	}
}

// TestAccOwnership_interruptedInstall: Ctrl-C while the push is under way waits for what
// becomes of it, and the state has it.
func TestAccOwnership_interruptedInstall(t *testing.T) {
	_, p, git, vars := installs(t)
	labels := with(vars, "labels", acctest.ObjectVariable("a", "b"))
	p.Run(vars, []string{"apply", "-auto-approve", "-target=" + addresses("a")[0]}, "1 added")
	interrupted := func(vars config.Variables, args ...string) {
		t.Helper()
		var terraform *os.Process
		started := make(chan struct{})
		git.Meanwhile(func(r *http.Request) bool {
			return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, pushed)
		}, func() {
			<-started
			if err := terraform.Signal(os.Interrupt); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Second) // until terraform has told the provider
		})
		process, end := p.Start(vars, args...)
		terraform = process
		close(started)
		out, err := end()
		git.Answer(nil)
		if !strings.Contains(out, "Interrupt received") || strings.Contains(out, "Error: Unable to") {
			t.Errorf("%v\n%s", err, out)
		}
	}
	interrupted(vars, "apply", "-auto-approve", target)
	p.Run(vars, []string{"plan", target}, nothing)
	interrupted(labels, "apply", "-auto-approve", target)
	p.Run(labels, []string{"plan", target}, nothing)
	interrupted(labels, "destroy", "-auto-approve", target)
	p.Run(labels, []string{"plan", target}, oneToAdd)
	p.Run(vars, []string{"destroy", "-auto-approve"}, "destroyed")
}
