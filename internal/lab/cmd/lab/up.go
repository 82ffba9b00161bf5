package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/binaries"
)

// up keeps a lab running until ctx ends. Standard output has the exports and
// nothing else.
func up(ctx context.Context, args []string) error {
	options, rest, err := parse("up", args)
	if err != nil || len(rest) > 0 {
		return errUsage
	}
	if options.Forge {
		if _, err := binaries.EnsureForge(ctx, os.Stderr); err != nil {
			return err
		}
	}
	l, err := lab.Start(ctx, options)
	if err != nil {
		return err
	}
	printExports(l.Exports())
	fmt.Fprintln(os.Stderr, "Paste the lines above into another terminal. Ctrl-C here stops the lab.")
	return errors.Join(l.Wait(ctx), l.Stop())
}

// build makes the binaries ready, so that a later start takes seconds.
func build(ctx context.Context, args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	set, err := binaries.Ensure(ctx, os.Stderr)
	if err != nil {
		return err
	}
	fmt.Printf("%s\n%s\n%s\n", set.Etcd, set.APIServer, set.ControllerManager)
	return buildForge(ctx)
}

// buildForge makes the forge ready, if this machine can: what needs one is skipped
// without.
func buildForge(ctx context.Context) error {
	_, err := binaries.EnsureForge(ctx, os.Stderr)
	if errors.Is(err, binaries.ErrNoCompiler) {
		fmt.Fprintln(os.Stderr, err)
		return nil
	}
	return err
}

// printExports prints KEY=VALUE lines as a shell reads them.
func printExports(variables []string) {
	for _, variable := range variables {
		name, value, _ := strings.Cut(variable, "=")
		fmt.Printf("export %s=%s\n", name, quote(value))
	}
}

// quote returns a value as a shell reads it.
func quote(value string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/:._-@+", r)
	}
	if strings.ContainsFunc(value, func(r rune) bool { return !plain(r) }) {
		return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
	}
	return value
}
