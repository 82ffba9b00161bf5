package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitserver"
)

const (
	gitRepository = "gitops"
	gitUsername   = "lab"
)

// serveGit serves a repository until ctx ends, for clusters that the lab has not
// started. Standard output has the exports and nothing else.
func serveGit(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("lab git", flag.ContinueOnError)
	address := flags.String("address", "127.0.0.1", "IP address that the clusters reach the server at")
	if flags.Parse(args) != nil || flags.NArg() > 0 {
		return errUsage
	}
	ip := net.ParseIP(*address)
	if ip == nil {
		return fmt.Errorf("-address: %q is no IP address", *address)
	}
	dir, err := os.MkdirTemp("", "carvel-lab-git-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	password := rand.Text()
	server, err := gitserver.Start(gitserver.Options{Dir: dir, Address: ip, Username: gitUsername, Password: password})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	if err := server.CreateRepository(gitRepository, gitserver.AllowFilter, gitserver.AllowAnySHA1InWant); err != nil {
		return err
	}
	if _, err := server.Seed(gitRepository, "Begin", map[string]string{"README.md": "A repository for tests.\n"}); err != nil {
		return err
	}
	ca := filepath.Join(dir, "ca.crt")
	if err := os.WriteFile(ca, []byte(server.CertificateAuthority()), 0o600); err != nil {
		return err
	}
	printExports([]string{
		lab.EnvGitURL + "=" + server.URL(gitRepository),
		lab.EnvGitUsername + "=" + gitUsername,
		lab.EnvGitPassword + "=" + password,
		lab.EnvGitCAFile + "=" + ca,
	})
	<-ctx.Done()
	return nil
}
