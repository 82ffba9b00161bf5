package main

import (
	"errors"
	"flag"
	"os"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/standin"
)

// parse reads the flags that the commands share and returns what follows them.
func parse(name string, args []string) (lab.Options, []string, error) {
	options := lab.Options{Log: os.Stderr}
	flags := flag.NewFlagSet("lab "+name, flag.ContinueOnError)
	flags.StringVar(&options.Dir, "dir", "", "directory in which the lab makes its own (default: the system's for temporary files)")
	flags.DurationVar(&options.SyncPeriod, "sync-period", 0, "how often the stand-in reconciles an App that did not change")
	flags.BoolVar(&options.FirstDeployRace, "first-deploy-race", false, "let each PackageInstall miss its Package at first, as sometimes happens")
	flags.Func("controller", "the `year` of the controller that the stand-in imitates, 2024 or 2025 (default: 2024 on staging, 2025 elsewhere)", func(year string) error {
		release, known := standin.Releases[year]
		if !known {
			return errors.New("want 2024 or 2025")
		}
		options.Release = &release
		return nil
	})
	flags.BoolVar(&options.Forge, "forge", false, "a Gitea as well; with exec one is built for the tests, which start their own")
	flags.BoolVar(&options.Bare, "bare", false, "clusters with CRDs only")
	if err := flags.Parse(args); err != nil {
		return options, nil, errUsage
	}
	return options, flags.Args(), nil
}
