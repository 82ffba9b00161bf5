package packageinstall_test

import (
	"maps"
	"path"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// orphanStory leaves the files of a package install, or a set, in every way in which Terraform destroys it: what is in the repository stays
// byte for byte, and no commit is made but those that give it a new mark.
func orphanStory(t *testing.T, f acctest.Fixture, r *acctest.Repository, vars config.Variables) {
	t.Helper()
	dir := at(f.Env, "staging").dir
	with := func(onDestroy string, adopt bool) config.Variables {
		all := maps.Clone(vars)
		if onDestroy != "" {
			all["on_destroy"] = config.StringVariable(onDestroy)
		}
		all["adopt_existing"] = config.BoolVariable(adopt)
		return all
	}
	files := func() map[string]string {
		t.Helper()
		r.Pull()
		return r.Files(dir)
	}
	commits := func() int {
		t.Helper()
		all, err := r.Commits(dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	apply := []string{"apply", "-auto-approve"}
	first := f.Program()
	quiet := func(onDestroy string) {
		t.Helper()
		first.Run(with(onDestroy, false), []string{"plan"}, "No changes.")
	}
	first.Run(with("", false), apply, "1 added")
	was, count := files(), commits()

	first.Run(with("orphan", false), apply, "0 added, 1 changed, 0 destroyed")
	if !maps.Equal(files(), was) || commits() != count {
		t.Errorf("the attribute alone made %d commits", commits()-count)
	}
	quiet("orphan")

	replaced := func(args []string) {
		t.Helper()
		first.Run(with("orphan", false), args, "1 added, 0 changed, 1 destroyed")
		now := files()
		delete(now, path.Join(dir, repolayout.MarkFile))
		before := maps.Clone(was)
		delete(before, path.Join(dir, repolayout.MarkFile))
		if count++; !maps.Equal(now, before) || len(now) == 0 || commits() != count {
			t.Errorf("%d commits, want %d; the files are %v", commits(), count, now)
		}
		quiet("orphan")
	}
	replaced(append(apply, "-replace="+f.Address))
	first.Taint(f.Address)
	replaced(apply)
	first.Replace(`" "test" {`, "\" \"renamed\" {")
	replaced(apply) // whichever of the two comes first

	was = files()
	first.Run(with("orphan", false), []string{"plan", "-destroy"}, "goes on running", dir, "1 to destroy")
	first.Run(with("orphan", false), []string{"destroy", "-auto-approve"}, "goes on running", "Destroy complete")
	if !maps.Equal(files(), was) || commits() != count {
		t.Errorf("the destroy made %d commits", commits()-count)
	}

	second := f.Program()
	second.Run(with("", false), apply, "Error: Unable to plan package install", "on_destroy = \"orphan\"", "adopt_existing = true")
	second.Run(with("", true), apply, "takes over what is there", "1 added")
	first.Run(with("", false), apply, "Error: Unable to plan package install", "It belongs to")
	second.Run(with("", true), []string{"destroy", "-auto-approve"}, "Destroy complete")
	if now := files(); len(now) != 1 {
		t.Errorf("left are %v, want the file that keeps the directory", now)
	}
}

func TestAccPackageInstall_orphan(t *testing.T) {
	_, f, r := fixture(t)
	orphanStory(t, f, r, config.Variables{"values": values(1)})
}

func TestAccPackageInstalls_orphan(t *testing.T) {
	e, f, r := fixture(t)
	f.Dir, f.Address = "package_installs", setAddress
	orphanStory(t, f, r, config.Variables{"packages": acctest.ObjectVariable(e.Package(), acctest.ObjectVariable("version_constraint", "1.0.0", "values", values(1)))})
}
