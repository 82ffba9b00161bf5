package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/binaries"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/matrix"
)

// terraform prints the path of a version of Terraform, or the versions that there
// are. With -tidy it tidies the module that pins the version.
func terraform(ctx context.Context, args []string) error {
	switch {
	case len(args) == 0:
		all, err := binaries.Terraforms(ctx)
		for _, t := range all {
			fmt.Println(t.Name)
		}
		return err
	case len(args) == 2 && args[0] == "-tidy":
		return binaries.TidyTerraform(ctx, args[1])
	case len(args) > 1 || strings.HasPrefix(args[0], "-"):
		return errUsage
	}
	t, err := binaries.EnsureTerraform(ctx, os.Stderr, args[0])
	if err != nil {
		return err
	}
	fmt.Println(t.Binary)
	return nil
}

// testMatrix runs go test with one version after the other, in the lab that the
// environment describes.
func testMatrix(ctx context.Context, args []string) error {
	versions, arguments, found := split(args)
	if len(versions) == 0 || !found || strings.HasPrefix(versions[0], "-") {
		return errUsage
	}
	return matrix.Run(ctx, os.Stdout, os.Stderr, versions, arguments)
}

func split(args []string) (before, after []string, found bool) {
	for i, arg := range args {
		if arg == "--" {
			return args[:i], args[i+1:], true
		}
	}
	return args, nil, false
}
