package ownership_test

import (
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// TestAccOwnership_anotherRunCluster: if a key of run_clusters leads to another cluster, the namespace is made there,
// and the former one is left. What is there already is not taken.
func TestAccOwnership_anotherRunCluster(t *testing.T) {
	w := newWorld(t)
	p := w.program("all")
	targets := []string{"-target=" + addresses("a")[0]}
	run := func(args []string) []string { return append(slices.Clone(args), targets...) }
	at := func(host string) config.Variables {
		return config.Variables{"staging_host": config.StringVariable(host)}
	}
	staging, prod := at(w.Proxy(w.Lab.Staging).URL), at(w.Proxy(w.Lab.Prod).URL)
	p.Run(staging, run(apply), "1 added")
	before := w.living()
	next(t, p, prod, targets, oneToAdd, oneAdded)
	w.kept(before, "made elsewhere")
	p.Run(staging, append([]string{"plan"}, targets...), "has been taken over") // by what was made there first
	p.Run(prod, destroy, "1 destroyed")
	w.kept(before, "destroyed elsewhere")

	w.Create(w.Prod(carvel.Namespaces, ""), acctest.Object(carvel.Namespaces, "Namespace", "", w.Name))
	p.Run(staging, run(apply), "1 added") // goes on with what it has made
	w.kept(before, "back again")
	p.Run(prod, run(apply), oneToAdd, "Error: Unable to create run namespace", "already exists")
	if err := acctest.Has(w.Prod(carvel.Namespaces, ""), w.Name, unmarked)(nil); err != nil {
		t.Error(err)
	}
	w.kept(before, "refused elsewhere")
	p.Run(staging, run(apply), "1 added")
	p.Run(staging, destroy, "1 destroyed")
}

// TestAccOwnership_anotherBuildCluster: an App, and a kubeconfig Secret with its token, are made on another build cluster, and
// those on the former one are left.
func TestAccOwnership_anotherBuildCluster(t *testing.T) {
	w := newWorld(t)
	w.Create(w.Prod(carvel.Namespaces, ""), acctest.Object(carvel.Namespaces, "Namespace", "", w.Name))
	at := func(host string) config.Variables { return config.Variables{"build_host": config.StringVariable(host)} }
	build, prod := at(w.Proxy(w.Lab.Build).URL), at(w.Proxy(w.Lab.Prod).URL)

	p := w.program("all")
	targets := []string{"-target=" + addresses("a")[2]}
	p.Run(build, append(slices.Clone(apply), targets...), "2 added")
	before := w.living()
	next(t, p, prod, targets, oneToAdd, oneAdded)
	w.kept(before, "made elsewhere")
	if err := acctest.Has(w.Prod(carvel.Secrets, w.Name), "staging-kubeconfig", nil)(nil); err != nil {
		t.Error(err)
	}
	p.Run(prod, []string{"destroy", "-auto-approve", targets[0]}, "1 destroyed")
	w.kept(before, "destroyed elsewhere")
	if names := w.tokens(); len(names) != 1 {
		t.Errorf("token Secrets %v, want the one of the former build cluster", names)
	}
	p.Run(build, append(slices.Clone(apply), targets...), "1 added")
	p.Run(build, destroy, "2 destroyed")

	credentials := w.program("credentials")
	credentials.Run(build, apply, "1 added")
	next(t, credentials, prod, nil, oneToAdd, oneAdded)
	for _, apps := range []error{
		acctest.Has(w.Build(carvel.Apps, w.Name), "one", nil)(nil), acctest.Has(w.Prod(carvel.Apps, w.Name), "one", nil)(nil),
	} {
		if apps != nil {
			t.Error(apps)
		}
	}
	credentials.Run(prod, destroy, "1 destroyed")
	credentials.Run(build, apply, "1 added") // goes on with what it has made
	credentials.Run(build, destroy, "1 destroyed")
}

// TestAccOwnership_anotherBranch: a package install is committed to the branch that git names now, and the files in the
// former one are left.
func TestAccOwnership_anotherBranch(t *testing.T) {
	w := newWorld(t)
	p := w.program("all")
	targets := []string{"-target=" + addresses("a")[1]}
	w.repository.Branch(w.Name)
	p.Run(nil, append(slices.Clone(apply), targets...), "2 added")
	before, _ := w.repository.Read(w.dir() + "/packageinstall.yaml")
	p.Replace("  git = {\n", "  git = {\n    branch = \""+w.Name+"\"\n")
	next(t, p, nil, targets, oneToAdd, oneAdded)
	p.Run(nil, append([]string{"destroy", "-auto-approve"}, targets...), "1 destroyed")
	if after, found := w.repository.Read(w.dir() + "/packageinstall.yaml"); !found || after != before {
		t.Errorf("the former file is %q", after)
	}
	p.Replace("    branch = \""+w.Name+"\"\n", "")
	p.Run(nil, append(slices.Clone(apply), targets...), "1 added") // goes on with what it has made
	p.Run(nil, destroy, "2 destroyed")
}
