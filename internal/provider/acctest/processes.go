package acctest

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Process is a running process of a Program.
type Process struct {
	PID, Parent int
	Provider    bool // else it is terraform
}

// Signal sends a signal, and ignores a process that has ended.
func (p Process) Signal(signal os.Signal) {
	if process, err := os.FindProcess(p.PID); err == nil {
		_ = process.Signal(signal)
	}
}

// Kill is kill -9.
func (p Process) Kill() { p.Signal(syscall.SIGKILL) }

// Kill is kill -9 of all of the program's processes.
func (p *Program) Kill() {
	for _, process := range p.Processes() {
		process.Kill()
	}
}

// ShowsProcesses reports whether this system shows processes as Linux does.
func ShowsProcesses() bool {
	_, err := os.Stat("/proc/self/stat")
	return err == nil
}

// Processes are the program's processes that run now, terraform's and the
// provider's, whoever their parent is.
func (p *Program) Processes() []Process {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		p.env.T.Fatal(err)
	}
	ours := []byte(configFile + "=" + p.Path("terraform.rc") + "\x00")
	var found []Process
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// PID (NAME) STATE PARENT ..., where NAME may hold anything.
		open, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
		rest := strings.Fields(string(stat[end+1:]))
		name := string(stat[open+1 : end])
		provider := strings.HasPrefix(name, "terraform-p")
		if !provider && !strings.HasPrefix(name, filepath.Base(Terraform())) || rest[0] == "Z" {
			continue
		}
		// The environment of a process that ends is empty.
		environ, err := os.ReadFile(filepath.Join(filepath.Dir(file), "environ"))
		if err != nil || !bytes.Contains(environ, ours) {
			continue
		}
		process := Process{Provider: provider}
		if process.PID, err = strconv.Atoi(strings.TrimSpace(string(stat[:open]))); err != nil {
			p.env.T.Fatal(err)
		}
		if process.Parent, err = strconv.Atoi(rest[1]); err != nil {
			p.env.T.Fatal(err)
		}
		found = append(found, process)
	}
	return found
}
