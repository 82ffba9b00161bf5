package gitops

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/suite"
)

// The environment of a writer process: where to write, and which of the writers it is.
const writerURL, writerCA, writerNumber = "GITOPS_TEST_URL", "GITOPS_TEST_CA", "GITOPS_TEST_WRITER"

const processes, writesOfProcess, goroutinesOfProcess = 8, 50, 10

func processPath(process, i int) string {
	return fmt.Sprintf("package-%d/cluster-%d-%d/params.yaml", i%10, process, i)
}

// TestProcess_writer is what the processes of TestProcesses run; by itself it does nothing. It prints the commits that it was told of.
func TestProcess_writer(t *testing.T) {
	number, err := strconv.Atoi(os.Getenv(writerNumber))
	if err != nil {
		t.Skip("runs in the processes of TestProcesses")
	}
	e, err := Open(Config{
		URL:  os.Getenv(writerURL),
		HTTP: HTTPAuth{Username: username, Password: password, CertificateAuthority: os.Getenv(writerCA)},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var writers sync.WaitGroup
	none := Hash{} // a change that got there twice would fail
	for g := range goroutinesOfProcess {
		writers.Go(func() {
			for i := g; i < writesOfProcess; i += goroutinesOfProcess {
				path := processPath(number, i)
				commit, err := e.Apply(ctx, Change{Summary: "Write " + path, Edits: []Edit{{Path: path, Data: []byte(path), IfBlob: &none}}})
				if err != nil || !commit.Changed {
					t.Errorf("%s: %+v, %v", path, commit, err)
				}
				fmt.Println("commit", commit.Hash)
			}
		})
	}
	writers.Wait()
}

// TestProcesses: processes that push to one branch, as workspaces do, lose nothing, double nothing, and none gives up before its time is up.
func TestProcesses(t *testing.T) {
	suite.Acceptance(t, "takes long")
	f := newFixture(t, withConfig("uploadpack.allowFilter=true", "core.logAllRefUpdates=true"))
	files := packages(10)
	f.seed(files)
	f.git("reflog", "expire", "--expire=now", "--all")
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	var mu sync.Mutex
	var running sync.WaitGroup
	for p := range processes {
		for i := range writesOfProcess {
			files[processPath(p, i)] = processPath(p, i)
		}
		running.Go(func() {
			cmd := exec.CommandContext(t.Context(), program, "-test.run=^TestProcess_writer$", "-test.count=1")
			cmd.Env = append(os.Environ(), writerURL+"="+f.URL(repository), writerCA+"="+f.CertificateAuthority(), fmt.Sprintf("%s=%d", writerNumber, p))
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Run(); err != nil {
				t.Errorf("process %d: %v\n%s", p, err, out.Bytes())
			}
			mu.Lock()
			defer mu.Unlock()
			for line := range strings.Lines(out.String()) {
				if commit, found := strings.CutPrefix(strings.TrimSpace(line), "commit "); found {
					told[commit] = true
				}
			}
		})
	}
	running.Wait()
	f.check(files)
	updates := len(strings.Fields(f.git("reflog", "show", "--format=%H", "refs/heads/main")))
	_, pushes := f.requests()
	t.Logf("%d processes x %d writes: %d pushes, %d of them stale", processes, writesOfProcess, pushes, pushes-updates)
	if commits := f.commits(); commits != fmt.Sprint(updates+1) || len(told) != updates {
		t.Errorf("%s commits with the first, %d successful pushes; callers were told of %d commits", commits, updates, len(told))
	}
}
