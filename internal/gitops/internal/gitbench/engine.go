//go:build unix

package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
)

func open(url string) (*gitops.Engine, error) {
	return gitops.Open(gitops.Config{URL: url, HTTP: gitops.HTTPAuth{AllowInsecure: true}})
}

func read(args []string) error {
	flags := flag.NewFlagSet("read", flag.ContinueOnError)
	url := flags.String("url", "", "of the repository")
	if err := flags.Parse(args); err != nil {
		return err
	}
	e, err := open(*url)
	if err != nil {
		return err
	}
	_, err = e.Read(context.Background(), flags.Arg(0))
	return err
}

// write makes a number of changes from some goroutines, each of two files in directories of its own. What the writes took is printed
// without the start of the process and the prefetch.
func write(args []string) error {
	flags := flag.NewFlagSet("write", flag.ContinueOnError)
	url := flags.String("url", "", "of the repository")
	run := flags.String("run", "", "part of the content")
	n := flags.Int("n", 1, "changes")
	dirs := flags.Int("dirs", 1, "that each of them touches")
	goroutines := flags.Int("goroutines", 1, "that make them")
	packages, clusters := flags.Int("packages", 1, "in the repository"), flags.Int("clusters", 1, "of each package")
	prefetch := flags.Bool("prefetch", false, "read the files first, as a plan does")
	if err := flags.Parse(args); err != nil {
		return err
	}
	e, err := open(*url)
	if err != nil {
		return err
	}
	ctx := context.Background()
	var changes []gitops.Change
	var paths []string
	for i := range *n {
		c := gitops.Change{Summary: fmt.Sprint("Change ", i)}
		for j := i * *dirs; j < (i+1)**dirs; j++ {
			for _, name := range []string{"packageinstall.yaml", "params.yaml"} {
				path := fmt.Sprintf("package-%d/cluster-%d/%s", (7*j+3)%*packages, (j+1)%*clusters, name)
				c.Edits = append(c.Edits, gitops.Edit{Path: path, Data: fmt.Appendf(nil, "run: %s\nchange: %d\nfile: %s\n", *run, j, name)})
				paths = append(paths, path)
			}
		}
		changes = append(changes, c)
	}
	if *prefetch {
		if err := e.Prefetch(ctx, paths...); err != nil {
			return err
		}
	}
	wall, used := time.Now(), cpu()
	errs := make([]error, *goroutines)
	var writers sync.WaitGroup
	for g := range *goroutines {
		writers.Go(func() {
			for i := g; i < len(changes) && errs[g] == nil; i += *goroutines {
				_, errs[g] = e.Apply(ctx, changes[i])
			}
		})
	}
	writers.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(Usage{Wall: time.Since(wall), CPU: cpu() - used})
}
