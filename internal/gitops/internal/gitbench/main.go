//go:build unix

// Command gitbench is what the benchmarks of internal/gitops run, so that CPU time and memory are those of a process of its own.
//
//	gitbench measure COMMAND ARGS...   runs a command and prints what it took
//	gitbench write -url URL ...        commits pairs of files through the engine
//	gitbench read -url URL PATH        reads a file through the engine
//	gitbench table                     turns the output of go test -bench into a table
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Usage is what a command, or a part of it, took. Memory is the largest resident set.
type Usage struct {
	Wall, CPU time.Duration
	RSS       int64 `json:",omitempty"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gitbench:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("measure, write, read or table")
	}
	switch verb, rest := args[0], args[1:]; verb {
	case "measure":
		return measure(rest)
	case "write":
		return write(rest)
	case "read":
		return read(rest)
	case "table":
		return table(os.Stdin, os.Stdout)
	default:
		return fmt.Errorf("unknown verb %s", verb)
	}
}

// measure is a parent of its own because a child counts the memory of the process that it was forked from until it runs its program.
func measure(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("measure: no command")
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	usage := Usage{Wall: time.Since(began), CPU: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if used, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		usage.RSS = used.Maxrss
		if runtime.GOOS != "darwin" {
			usage.RSS *= 1024
		}
	}
	return json.NewEncoder(os.Stdout).Encode(usage)
}

// cpu is the processor time of this process so far.
func cpu() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
