// Command lab runs the local lab: three clusters, a Git server and the stand-in
// controller.
//
//	lab up             start, print the LAB_* variables, stop on Ctrl-C
//	lab exec -- CMD    start, run CMD with the LAB_* variables, stop
//	lab build          make the binaries ready
//	lab git            serve a Git repository to clusters of your own
//	lab demo           show the quickstart, stage by stage, in a lab of its own
//	lab terraform V    print the path of Terraform V, which is built if need be
//	lab matrix V -- A  run go test A with Terraform V, and others after it
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// command runs with the arguments after its name. ctx ends with the first
// SIGINT, SIGTERM or SIGHUP.
type command struct {
	name, usage string
	run         func(ctx context.Context, args []string) error
}

var commands = []command{
	{"up", "lab up [-dir DIR] [-sync-period DURATION] [-first-deploy-race] [-controller YEAR] [-forge] [-bare]", up},
	{"exec", "lab exec [-dir DIR] [-sync-period DURATION] [-first-deploy-race] [-controller YEAR] [-forge] [-bare] -- CMD [ARGS...]", execute},
	{"build", "lab build", build},
	{"git", "lab git [-address IP]", serveGit},
	{"demo", "lab demo [-keep]", demonstrate},
	{"terraform", "lab terraform [[-tidy] VERSION]", terraform},
	{"matrix", "lab matrix VERSION... -- [ARGS OF GO TEST...]", testMatrix},
}

// exitCode is the error of a command that ends with a code and no message.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// errUsage makes main print the command's usage.
var errUsage = errors.New("usage")

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	for _, c := range commands {
		if len(args) == 0 || args[0] != c.name {
			continue
		}
		err := c.run(ctx, args[1:])
		var code exitCode
		switch {
		case err == nil:
			return 0
		case errors.As(err, &code):
			return int(code)
		case errors.Is(err, errUsage):
			fmt.Fprintln(os.Stderr, "usage:", c.usage)
			return 2
		case ctx.Err() != nil && errors.Is(err, context.Canceled):
			return 130
		}
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for _, c := range commands {
		fmt.Fprintln(os.Stderr, "usage:", c.usage)
	}
	return 2
}
