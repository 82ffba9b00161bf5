package labtest_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/suite"
)

// envEnd makes this test binary start a lab and then end in a certain way.
const envEnd = "LABTEST_END"

func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }

// TestHelper is the whole of a test run that the tests below start.
func TestHelper(t *testing.T) {
	end := os.Getenv(envEnd)
	if end == "" {
		t.Skip("it is started by TestMain_leavesNothing")
	}
	fmt.Printf("lab directory: %s\n", labtest.Get(t).Dir)
	switch end {
	case "failure":
		t.Fatal("a failing test")
	case "panic":
		go func() { panic("a panicking goroutine") }()
		select {}
	case "signal":
		select {}
	}
}

func TestMain_leavesNothing(t *testing.T) {
	suite.Acceptance(t, "needs a lab")
	for name, c := range map[string]struct {
		end    string
		signal syscall.Signal
	}{
		"after failure": {end: "failure"},
		"after a panic": {end: "panic"},
		"on SIGINT":     {end: "signal", signal: syscall.SIGINT},
		"on SIGTERM":    {end: "signal", signal: syscall.SIGTERM},
		"on SIGKILL":    {end: "signal", signal: syscall.SIGKILL},
	} {
		t.Run(name, func(t *testing.T) {
			parent := t.TempDir()
			cmd := exec.Command(os.Args[0], "-test.run=^TestHelper$", "-test.v")
			cmd.Env = append(withoutLab(os.Environ()), envEnd+"="+c.end, "TMPDIR="+parent)
			var report bytes.Buffer
			cmd.Stderr = &report
			output, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			dir := labDirectory(t, output, &report)
			if c.signal != 0 {
				if len(processesOf(t, dir)) < 7 {
					t.Errorf("the lab's processes are not seen: %v", processesOf(t, dir))
				}
				if err := cmd.Process.Signal(c.signal); err != nil {
					t.Fatal(err)
				}
			}
			_, _ = io.Copy(io.Discard, output)
			if err := cmd.Wait(); err == nil {
				t.Errorf("it passed\n%s", report.String())
			}
			eventually(t, func() string {
				left, _ := filepath.Glob(filepath.Join(parent, "*"))
				return strings.Join(append(left, processesOf(t, dir)...), "\n")
			})
		})
	}
}

// labDirectory reads the helper's output up to the line that tells it.
func labDirectory(t *testing.T, output io.Reader, report *bytes.Buffer) string {
	t.Helper()
	lines := bufio.NewReader(output)
	for {
		line, err := lines.ReadString('\n')
		if dir, ok := strings.CutPrefix(strings.TrimSpace(line), "lab directory: "); ok {
			return dir
		}
		if err != nil {
			t.Fatalf("no lab was started: %v\n%s", err, report.String())
		}
	}
}

// processesOf returns the command lines that mention dir: those of the control
// plane, the guard and whatever works in the repository.
func processesOf(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(text), dir) {
			found = append(found, strings.ReplaceAll(string(text), "\x00", " "))
		}
	}
	if len(files) > 0 {
		return found
	}
	list, err := exec.Command("ps", "-axo", "command=").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(list)) {
		if strings.Contains(line, dir) {
			found = append(found, line)
		}
	}
	return found
}

func TestName(t *testing.T) {
	label := regexp.MustCompile(`^[a-z]([-a-z0-9]*[a-z0-9])?$`)
	seen := map[string]bool{}
	for _, name := range []string{"short", "A_very_long_name_with_Capitals_and_more", "1", "ünïcode"} {
		t.Run(name, func(t *testing.T) {
			for range 100 {
				got := labtest.Name(t)
				if !label.MatchString(got) || len(got) > 29 || seen[got] {
					t.Fatalf("%q is no new DNS label of at most 29 characters", got)
				}
				seen[got] = true
			}
		})
	}
}

func withoutLab(environment []string) []string {
	var rest []string
	for _, variable := range environment {
		if !strings.HasPrefix(variable, "LAB_") {
			rest = append(rest, variable)
		}
	}
	return rest
}

// eventually waits, as long as the test may run, until nothing is left.
func eventually(t *testing.T, left func() string) {
	t.Helper()
	deadline, ok := t.Deadline()
	if !ok {
		deadline = time.Now().Add(5 * time.Minute)
	}
	for left() != "" {
		if time.Until(deadline) < 10*time.Second {
			t.Fatalf("left behind:\n%s", left())
		}
		time.Sleep(50 * time.Millisecond)
	}
}
