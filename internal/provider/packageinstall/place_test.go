package packageinstall_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

// TestAccPackageInstall_pathPrefix: files that a new path_prefix leaves behind are not forgotten, and those that were moved along are
// taken as they are.
func TestAccPackageInstall_pathPrefix(t *testing.T) {
	e, f, r := fixture(t)
	prefix := e.Name + "-moved"
	e.RemoveDirectory(r, prefix)
	old, moved := at(e, "staging"), prefix+"/"+e.Package()
	elsewhere := config.Variables{"values": values(1), "path_prefix": text(prefix)}
	const refusal = `The files are in %s on the branch.*would be in %s/%s.*git.path_prefix`
	pattern := strings.NewReplacer("%s/%s", prefix+"/"+old.dir, "%s", old.dir).Replace(refusal)
	along := f.Quiet(elsewhere)
	along.PreConfig = func() {
		files := map[string]string{}
		for _, path := range r.List(e.Package()) {
			files[prefix+"/"+path], _ = r.Read(path)
			files[path] = ""
		}
		r.Write("Move", files)
	}
	removed := f.Refused(pattern, elsewhere)
	removed.Destroy = true
	resource.Test(t, resource.TestCase{
		Steps:        []resource.TestStep{f.Step(config.Variables{"values": values(1)}), f.Refused(pattern, elsewhere), removed, along},
		CheckDestroy: resource.ComposeTestCheckFunc(r.HasNoFile(moved+"/staging/packageinstall.yaml"), r.HasFile(moved+"/staging/.gitkeep")),
	})
}

// TestAccPackageInstall_notAFile: what has taken a file's place is left alone.
func TestAccPackageInstall_notAFile(t *testing.T) {
	e, f, r := fixture(t)
	p := at(e, "staging")
	vars := config.Variables{"values": values(1)}
	directory := f.Refused(`params.yaml" is a directory|Remove it from the branch`, vars)
	directory.PreConfig = func() {
		r.Write("Remove", map[string]string{p.params: ""})
		r.Write("Add a directory", map[string]string{p.params + "/theirs": "theirs\n"})
	}
	again := f.Step(vars)
	again.PreConfig = func() {
		if err := r.HasFile(p.params+"/theirs", "theirs")(nil); err != nil {
			t.Error(err)
		}
		r.Write("Remove", map[string]string{p.params + "/theirs": ""})
	}
	again.Check = r.HasFile(p.params, "replicas: 1")
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{f.Step(vars), directory, again}})
}

// TestAccPackageInstall_secretNames: names that follow from others are looked at before anything is written.
func TestAccPackageInstall_secretNames(t *testing.T) {
	e, f, r := every(t)
	long := text(strings.TrimSuffix(strings.Repeat(strings.Repeat("a", 60)+".", 4), ".")) // 243 characters
	own := texts(e.Name + "-values")
	someone := config.Variables{"extra_values_secrets": own}
	fits := f.Step(config.Variables{"install_name": long, "values": values(1)})
	fits.PlanOnly, fits.ExpectNonEmptyPlan = true, true
	resource.Test(t, resource.TestCase{Steps: []resource.TestStep{
		fits,
		f.Refused(`Invalid values_secret_name.*name of 261 characters`, config.Variables{"install_name": long, "values": values(1), "hash_values_name": config.BoolVariable(true)}),
		f.Refused(`Invalid values_secret_name.*name of 254 characters`, config.Variables{"values_secret_name": long, "values_wo": values(1), "hash_values_name": config.BoolVariable(true)}),
		f.Refused(`Invalid name.*name of 254 characters`, config.Variables{"install_name": text("aa." + strings.Repeat("a", 60) + "." + strings.Repeat(strings.Repeat("b", 60)+".", 2) + strings.Repeat("c", 59)), "ytt_overlays": config.MapVariable(map[string]config.Variable{"a.yaml": text("a: 1\n")})}),
		f.Refused(`Invalid extra_values_secrets.*is the name of the Secret that the values given here`, config.Variables{"extra_values_secrets": own, "values": values(1)}),
		f.Step(someone), f.Quiet(someone),
	}})
	if files := r.List(e.Package() + "/staging"); len(files) != 1 {
		t.Errorf("after the destroy %v are left", files)
	}
}
