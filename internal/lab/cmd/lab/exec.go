package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/process"
)

// execute runs a command with a lab around it and ends with the command's exit
// code. Nothing is printed after the command's own output but errors of the lab.
func execute(ctx context.Context, args []string) error {
	options, argv, err := parse("exec", args)
	if err != nil || len(argv) == 0 {
		return errUsage
	}
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return err
	}
	if options.Forge {
		if err := buildForge(ctx); err != nil {
			return err
		}
		options.Forge = false
	}
	l, err := lab.Start(ctx, options)
	if err != nil {
		return err
	}
	err = runCommand(ctx, path, argv, l.Exports())
	if stopErr := l.Stop(); stopErr != nil {
		fmt.Fprintln(os.Stderr, stopErr)
	}
	return err
}

func runCommand(ctx context.Context, path string, argv, exports []string) error {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	if ctx.Err() != nil { // a signal came while the lab started
		return ctx.Err()
	}
	cmd := exec.Command(path)
	cmd.Args = argv
	cmd.Env = append(os.Environ(), exports...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := process.SpawnForeground(cmd); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for {
		select {
		case received := <-signals:
			// The terminal sends Ctrl-C to the command as well, and many
			// programs take a second one as an order to end at once.
			if received != os.Interrupt || !process.Foreground() {
				_ = cmd.Process.Signal(received)
			}
		case err := <-done:
			return commandResult(err)
		}
	}
}

func commandResult(err error) error {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return err
	}
	if signal, ok := process.EndedBy(exit.ProcessState); ok {
		return exitCode(128 + signal)
	}
	return exitCode(exit.ExitCode())
}
