package main

import (
	"flag"
	"os"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
)

// parse reads the flags that the commands share and returns what follows them.
func parse(name string, args []string) (lab.Options, []string, error) {
	options := lab.Options{Log: os.Stderr}
	flags := flag.NewFlagSet("lab "+name, flag.ContinueOnError)
	flags.StringVar(&options.Dir, "dir", "", "directory in which the lab makes its own (default: the system's for temporary files)")
	flags.DurationVar(&options.SyncPeriod, "sync-period", 0, "how often the stand-in reconciles an App that did not change")
	flags.BoolVar(&options.FirstDeployRace, "first-deploy-race", false, "let each PackageInstall miss its Package at first, as sometimes happens")
	flags.BoolVar(&options.Bare, "bare", false, "clusters with CRDs only")
	if err := flags.Parse(args); err != nil {
		return options, nil, errUsage
	}
	return options, flags.Args(), nil
}
