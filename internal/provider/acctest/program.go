package acctest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-testing/config"
)

// Program is the terraform program with a fixture, for what the steps of a test
// case cannot show: warnings, command-line options, an interrupt.
type Program struct {
	env  *Env
	dir  string
	last config.Variables
	// Without is what the names of environment variables begin with that terraform
	// is not to have, if not empty.
	Without string
}

// Program copies the fixture into a directory with a state of its own. What a
// test that has failed leaves in the state is destroyed.
func (f Fixture) Program() *Program {
	f.Env.T.Helper()
	p := &Program{env: f.Env, dir: f.Env.T.TempDir()}
	main, err := os.ReadFile(filepath.Join("testdata", f.Dir, "main.tf"))
	if err != nil {
		f.Env.T.Fatal(err)
	}
	p.write("main.tf", main)
	p.write("terraform.rc", fmt.Appendf(nil, "provider_installation {\n  dev_overrides {\n    %q = %q\n  }\n  direct {}\n}\n", Registry()+"/hashicorp/carvel", built(f.Env)))
	f.Env.T.Cleanup(func() {
		if !f.Env.T.Failed() {
			return
		}
		_, end := p.Start(p.last, "destroy", "-auto-approve")
		if out, err := end(); err != nil {
			f.Env.T.Logf("destroy what is left: %v\n%s", err, out)
		}
	})
	return p
}

// Replace changes the configuration wherever the text is in it.
func (p *Program) Replace(old, with string) {
	p.env.T.Helper()
	main, err := os.ReadFile(p.Path("main.tf"))
	if err != nil {
		p.env.T.Fatal(err)
	}
	if !bytes.Contains(main, []byte(old)) {
		p.env.T.Fatalf("the configuration does not have %q", old)
	}
	p.write("main.tf", bytes.ReplaceAll(main, []byte(old), []byte(with)))
}

// configFile is the variable that names terraform's own configuration.
const configFile = "TF_CLI_CONFIG_FILE"

// Path is that of a file in the program's directory, which holds its state.
func (p *Program) Path(name string) string { return filepath.Join(p.dir, name) }

// program is the provider as a program, as long as tests use it.
var program struct {
	sync.Mutex
	users int
	dir   string
}

// built is the directory of the provider as a program.
func built(e *Env) string {
	e.T.Helper()
	program.Lock()
	defer program.Unlock()
	if program.users == 0 {
		dir, err := os.MkdirTemp("", "carvel-acctest-")
		if err != nil {
			e.T.Fatal(err)
		}
		build := exec.Command("go", "build", "-o", filepath.Join(dir, "terraform-provider-carvel"), "github.com/carvel-gitops/terraform-provider-carvel")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			e.T.Fatalf("%v\n%s", err, out)
		}
		program.dir = dir
	}
	program.users++
	e.T.Cleanup(func() {
		program.Lock()
		defer program.Unlock()
		if program.users--; program.users == 0 {
			if err := os.RemoveAll(program.dir); err != nil {
				e.T.Error(err)
			}
		}
	})
	return program.dir
}

func (p *Program) write(name string, data []byte) {
	p.env.T.Helper()
	if err := os.WriteFile(p.Path(name), data, 0o600); err != nil {
		p.env.T.Fatal(err)
	}
}

// Start starts terraform with variables; the func waits for its end and returns
// what it has said, in one line.
func (p *Program) Start(vars config.Variables, args ...string) (process *os.Process, end func() (string, error)) {
	p.env.T.Helper()
	data, err := json.Marshal(p.env.Vars(vars))
	if err != nil {
		p.env.T.Fatal(err)
	}
	p.write("terraform.tfvars.json", data)
	p.last = vars
	options := []string{"-no-color", "-input=false"}
	if args[0] == "query" { // which never asks
		options = options[:1]
	}
	cmd := p.command(slices.Insert(slices.Clone(args), 1, options...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		p.env.T.Fatal(err)
	}
	return cmd.Process, func() (string, error) {
		err := cmd.Wait()
		return strings.Join(strings.FieldsFunc(out.String(), func(r rune) bool { return strings.ContainsRune(" \n│╷╵", r) }), " "), err
	}
}

func (p *Program) command(args ...string) *exec.Cmd {
	cmd := exec.Command(Terraform(), args...)
	cmd.Dir = p.dir
	cmd.Env = slices.DeleteFunc(os.Environ(), func(variable string) bool { return p.Without != "" && strings.HasPrefix(variable, p.Without) })
	cmd.Env = append(cmd.Env, configFile+"="+p.Path("terraform.rc"), "CHECKPOINT_DISABLE=1")
	return cmd
}

// Run runs terraform, which must succeed, or fail if a text is wanted that
// begins with "Error:". What it says must have the texts.
func (p *Program) Run(vars config.Variables, args []string, texts ...string) string {
	p.env.T.Helper()
	_, end := p.Start(vars, args...)
	out, err := end()
	fails := false
	for _, text := range texts {
		fails = fails || strings.HasPrefix(text, "Error:")
	}
	if fails != (err != nil) {
		p.env.T.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	if err := TextHas(out, texts, nil); err != nil {
		p.env.T.Errorf("terraform %s: %v", strings.Join(args, " "), err)
	}
	return out
}

// Move renames a resource in the state.
func (p *Program) Move(from, to string) { p.state("state", "mv", from, to) }

// Taint marks a resource as tainted.
func (p *Program) Taint(address string) { p.state("taint", address) }

// state runs a command that takes no variables.
func (p *Program) state(args ...string) {
	p.env.T.Helper()
	cmd := p.command(args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		p.env.T.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// Forget takes a resource out of the state.
func (p *Program) Forget(address string) { p.state("state", "rm", address) }
