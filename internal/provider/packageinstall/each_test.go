package packageinstall_test

import (
	"strings"
	"testing"
)

// TestAccPackageInstall_each: a resource that is to be replaced is planned twice
// at its path, and is not taken for two.
func TestAccPackageInstall_each(t *testing.T) {
	s := newScale(t, "each", 0)
	if _, err := s.server.Seed(scaleRepository, "theirs", map[string]string{"README.md": "theirs\n"}); err != nil {
		t.Fatal(err)
	}
	refused := func(when string) {
		t.Helper()
		out, err := s.run(`TF_VAR_packages='{one="app.example.com",two="app.example.com"}' exec "$TERRAFORM" apply -auto-approve -no-color`)
		if err == nil || !strings.Contains(out, "Two package installs in app.example.com/staging") {
			t.Errorf("%s: %v\n%s", when, err, out)
		}
	}
	refused("two new ones")
	if files := s.files(); len(files) != 1 {
		t.Errorf("the branch holds %v", files)
	}
	s.terraform("apply", "-auto-approve", "-no-color")
	if out, err := s.run(`TF_VAR_packages='{one="app.example.com",two="app.example.com"}' exec "$TERRAFORM" apply -auto-approve -no-color`); err == nil {
		t.Errorf("a second one with the same content was applied:\n%s", out)
	}
	s.terraform("plan", "-detailed-exitcode", "-no-color")
	s.terraform("apply", "-auto-approve", "-no-color", `-replace=carvel_package_install.test["one"]`)
	s.terraform("plan", "-detailed-exitcode", "-no-color")
	s.terraform("taint", "-no-color", `carvel_package_install.test["one"]`)
	s.terraform("apply", "-auto-approve", "-no-color")
	s.terraform("plan", "-detailed-exitcode", "-no-color")
	if files := s.files(); len(files) != 5 { // theirs, two of ours and their mark, .gitkeep
		t.Errorf("the branch holds %v", files)
	}
}
