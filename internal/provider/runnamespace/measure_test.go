package runnamespace_test

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
)

// The benchmark has Terraform start the test's binary as the provider, which
// runs the real one and writes down what it used.
const (
	measuredProvider = "CARVEL_BENCH_PROVIDER"
	measuredResult   = "CARVEL_BENCH_RESULT"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(measuredProvider); path != "" {
		os.Exit(measure(path, os.Getenv(measuredResult)))
	}
	os.Exit(labtest.Main(m))
}

// measure runs a program and appends its CPU time in nanoseconds and its
// greatest resident set in KiB to a file.
func measure(path, result string) int {
	cmd := exec.Command(path, os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return 1
	}
	file, openErr := os.OpenFile(result, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if openErr != nil {
		return 1
	}
	cpu := usage.Utime.Nano() + usage.Stime.Nano()
	if _, writeErr := fmt.Fprintf(file, "%d %d\n", cpu, usage.Maxrss); writeErr != nil || file.Close() != nil || err != nil {
		return 1
	}
	return 0
}
