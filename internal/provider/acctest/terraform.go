package acctest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"

	"github.com/hashicorp/go-version"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"
)

// Terraform is the program that all tests run: that of TF_ACC_TERRAFORM_PATH, as
// terraform-plugin-testing has it, or the one that is installed.
func Terraform() string {
	if path := os.Getenv("TF_ACC_TERRAFORM_PATH"); path != "" {
		return path
	}
	return "terraform"
}

// Registry is the host of the providers whose source names none.
func Registry() string {
	if host := os.Getenv("TF_ACC_PROVIDER_HOST"); host != "" {
		return host
	}
	return "registry.terraform.io"
}

// Capability is what not every version has. OpenTofu counts its versions from where
// it left Terraform's, so that each program has a version of its own from which on
// it has it, nil for none.
type Capability struct {
	name                string
	terraform, openTofu *version.Version
}

// What tests need of a version.
var (
	Functions   = Capability{"functions of providers", tfversion.Version1_8_0, tfversion.Version1_7_0}
	WriteOnly   = Capability{"ephemeral resources and write-only attributes", tfversion.Version1_11_0, tfversion.Version1_11_0}
	Identity    = Capability{"resource identities", tfversion.Version1_12_0, tfversion.Version1_12_0}
	ListQueries = Capability{"list resources", tfversion.Version1_14_0, nil}
	Actions     = Capability{"actions", tfversion.Version1_14_0, nil}
)

// Needs skips the test cases of versions that lack a capability.
func Needs(capabilities ...Capability) []tfversion.TerraformVersionCheck {
	var checks []tfversion.TerraformVersionCheck
	for _, c := range capabilities {
		checks = append(checks, c)
	}
	return checks
}

// Needs skips a test that runs the program itself if its version lacks a
// capability.
func (e *Env) Needs(capabilities ...Capability) {
	e.T.Helper()
	b, err := running()
	if err != nil {
		e.T.Fatal(err)
	}
	for _, c := range capabilities {
		if lack := c.lack(b); lack != "" {
			e.T.Skip(lack)
		}
	}
}

// OpenTofu reports whether that is what the tests run.
func (e *Env) OpenTofu() bool {
	e.T.Helper()
	b, err := running()
	if err != nil {
		e.T.Fatal(err)
	}
	return b.openTofu()
}

// CheckTerraformVersion implements tfversion.TerraformVersionCheck. The version
// that it is asked for does not tell the two programs apart.
func (c Capability) CheckTerraformVersion(_ context.Context, _ tfversion.CheckTerraformVersionRequest, response *tfversion.CheckTerraformVersionResponse) {
	b, err := running()
	if err != nil {
		response.Error = err
		return
	}
	response.Skip = c.lack(b)
}

// lack says that a program lacks the capability, "" if it has it.
func (c Capability) lack(b build) string {
	since := c.terraform
	if b.openTofu() {
		since = c.openTofu
	}
	switch {
	case since == nil:
		return fmt.Sprintf("%s has no %s", b, c.name)
	case b.version.Core().LessThan(since):
		return fmt.Sprintf("%s has no %s, which begin with %s", b, c.name, since)
	}
	return ""
}

// build is what a program says that it is.
type build struct {
	product string // Terraform or OpenTofu
	version *version.Version
}

func (b build) openTofu() bool { return b.product == "OpenTofu" }

func (b build) String() string { return b.product + " " + b.version.String() }

// running is what the tests run.
var running = sync.OnceValues(func() (build, error) {
	cmd := exec.Command(Terraform(), "version")
	cmd.Env = append(os.Environ(), "CHECKPOINT_DISABLE=1")
	said, err := cmd.Output()
	if err != nil {
		return build{}, fmt.Errorf("%s version: %w", Terraform(), err)
	}
	return parseBuild(string(said))
})

// parseBuild reads what `terraform version` prints, such as "Terraform v1.16.4".
func parseBuild(said string) (build, error) {
	line, _, _ := strings.Cut(said, "\n")
	product, number, _ := strings.Cut(strings.TrimSpace(line), " v")
	v, err := version.NewVersion(number)
	if err != nil {
		return build{}, fmt.Errorf("%q names no version: %w", line, err)
	}
	return build{product, v}, nil
}
