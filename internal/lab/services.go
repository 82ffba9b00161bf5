package lab

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/binaries"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitea"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitserver"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/standin"
)

const (
	repository  = "platform/gitops.git"
	gitUsername = "ci"
)

// startGit starts the Git server with a certificate of its own authority and
// seeds the GitOps repository.
func (l *Lab) startGit() error {
	ca, err := newAuthority("lab git")
	if err != nil {
		return err
	}
	issued, err := ca.server("git")
	if err != nil {
		return err
	}
	certificate, err := tls.X509KeyPair(issued.certificate, issued.key)
	if err != nil {
		return err
	}
	password := make([]byte, 12)
	if _, err := rand.Read(password); err != nil {
		return err
	}
	git := Git{Username: gitUsername, Password: hex.EncodeToString(password), CAFile: l.path("git-ca.crt")}
	if err := os.WriteFile(git.CAFile, ca.pem, 0o600); err != nil {
		return err
	}
	l.gitCA = string(ca.pem)
	dir := l.path("git")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	l.git, err = gitserver.Start(gitserver.Options{
		Dir:         dir,
		Username:    git.Username,
		Password:    git.Password,
		Certificate: &certificate,
	})
	if err != nil {
		return fmt.Errorf("git server: %w", err)
	}
	if err := l.git.CreateRepository(repository, gitserver.AllowFilter, gitserver.AllowAnySHA1InWant); err != nil {
		return fmt.Errorf("create %s: %w", repository, err)
	}
	if _, err := l.git.Seed(repository, "Add the Package app.default.tap", seedFiles()); err != nil {
		return fmt.Errorf("seed %s: %w", repository, err)
	}
	git.URL = l.git.URL(repository)
	l.Git = git
	return nil
}

// startForge starts a Gitea. It is built already, since that takes minutes.
func (l *Lab) startForge(ctx context.Context) error {
	built, ok, err := binaries.BuiltForge(ctx)
	if err != nil {
		return err
	}
	if !ok {
		return errors.New("no Gitea has been built")
	}
	dir := l.path("forge")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	l.Forge, err = gitea.Start(ctx, gitea.Options{Dir: dir, Forge: built})
	if err != nil {
		return err
	}
	return os.WriteFile(l.path("forge-ca.crt"), []byte(l.Forge.CertificateAuthority()), 0o600)
}

// standIns are the stand-in controllers of the clusters, in this process.
type standIns struct {
	cancel context.CancelFunc
	wait   sync.WaitGroup
	mu     sync.Mutex
	errs   []error
}

func (l *Lab) startStandIns() error {
	ctx, cancel := context.WithCancel(context.Background())
	s := &standIns{cancel: cancel}
	l.standIns = s
	for _, c := range l.Clusters() {
		options, files, err := l.standInOptions(c)
		if err != nil {
			return err
		}
		s.wait.Go(func() {
			defer files.Close()
			err := standin.Run(ctx, options)
			if ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) {
				return
			}
			err = fmt.Errorf("the stand-in of cluster %s ended: %w", c.Name, err)
			s.mu.Lock()
			s.errs = append(s.errs, err)
			s.mu.Unlock()
			l.fail(err)
		})
	}
	return nil
}

func (l *Lab) standInOptions(c Cluster) (standin.Options, *os.File, error) {
	kubeconfig, err := os.ReadFile(c.Kubeconfig)
	if err != nil {
		return standin.Options{}, nil, err
	}
	dir := l.path(c.Name, "stand-in")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return standin.Options{}, nil, err
	}
	release := standin.Release2025
	if c.Name == "staging" {
		release = standin.Release2024
	}
	if l.options.Release != nil {
		release = *l.options.Release
	}
	log, err := os.Create(l.path(c.Name + "-stand-in.log"))
	return standin.Options{
		Kubeconfig:      kubeconfig,
		Name:            c.Name,
		Dir:             dir,
		Log:             log,
		SyncPeriod:      l.options.SyncPeriod,
		FirstDeployRace: l.options.FirstDeployRace,
		Release:         release,
	}, log, err
}

// stop ends the stand-ins and waits for them.
func (s *standIns) stop() error {
	if s == nil {
		return nil
	}
	s.cancel()
	s.wait.Wait()
	return errors.Join(s.errs...)
}
