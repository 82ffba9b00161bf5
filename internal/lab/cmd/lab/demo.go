package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/demo"
)

// demonstrate shows the quickstart in a lab of its own.
func demonstrate(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("lab demo", flag.ContinueOnError)
	keep := flags.Bool("keep", false, "keep the lab in the end, until Ctrl-C")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		return errUsage
	}
	options := demo.Options{Out: os.Stdout}
	if *keep {
		options.Keep = printKept
	}
	return demo.Run(ctx, options)
}

func printKept(dir string, variables []string) {
	for _, variable := range variables {
		name, value, _ := strings.Cut(variable, "=")
		fmt.Printf("export %s=%s\n", name, quote(value))
	}
	fmt.Printf("cd %s\n", quote(dir))
	fmt.Fprintln(os.Stderr, "Paste the lines above into another terminal to go on with terraform. Ctrl-C here stops the lab.")
}
