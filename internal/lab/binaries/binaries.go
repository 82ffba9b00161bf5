// Package binaries finds or builds the control plane that the lab runs.
//
// kube-apiserver, kube-controller-manager and etcd come from the first of these
// that has them: the directory KUBEBUILDER_ASSETS, a cache outside the source
// tree, a build of the versions that the module beside this package pins.
package binaries

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/process"
)

const (
	// EnvAssets names a directory with binaries to use as they are.
	EnvAssets = "KUBEBUILDER_ASSETS"
	// EnvCache overrides the directory in which built binaries are kept.
	EnvCache = "CARVEL_LAB_CACHE"
)

// Set holds the paths of the binaries.
type Set struct {
	Etcd, APIServer, ControllerManager string
}

// CacheDir returns the directory that the lab keeps between runs, made if it
// is missing: CARVEL_LAB_CACHE, else a directory under os.UserCacheDir.
func CacheDir() (string, error) {
	dir := os.Getenv(EnvCache)
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("no cache directory; set %s: %w", EnvCache, err)
		}
		dir = filepath.Join(base, "terraform-provider-carvel", "lab")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o755)
}

// Ensure returns the binaries. What has to be built is built by one process at
// a time; that takes minutes, with a line to log every ten seconds.
func Ensure(ctx context.Context, log io.Writer) (Set, error) {
	var set Set
	wanted := []struct {
		name string
		path *string
	}{
		{etcd, &set.Etcd},
		{apiServer, &set.APIServer},
		{controllerManager, &set.ControllerManager},
	}
	missing := 0
	for _, w := range wanted {
		if *w.path = fromAssets(w.name); *w.path == "" {
			missing++
		}
	}
	if missing == 0 {
		return set, nil
	}
	c, err := openCache(ctx)
	if err != nil {
		return Set{}, err
	}
	for _, w := range wanted {
		if *w.path != "" {
			continue
		}
		if *w.path, err = c.ensure(ctx, log, w.name); err != nil {
			return Set{}, err
		}
	}
	return set, nil
}

// Built reports whether Ensure would find everything, so that nothing has to be
// compiled.
func Built(ctx context.Context) (bool, error) {
	var c *cache
	for _, name := range []string{etcd, apiServer, controllerManager} {
		if fromAssets(name) != "" {
			continue
		}
		if c == nil {
			var err error
			if c, err = openCache(ctx); err != nil {
				return false, err
			}
		}
		if !executable(filepath.Join(c.dir, name)) {
			return false, nil
		}
	}
	return true, nil
}

func fromAssets(name string) string {
	dir := os.Getenv(EnvAssets)
	if dir == "" {
		return ""
	}
	path, err := filepath.Abs(filepath.Join(dir, name))
	if err != nil || !executable(path) {
		return ""
	}
	return path
}

// cache is the directory of one pair of versions for one platform. A binary is
// in it under its own name only when it was complete and told its version.
type cache struct {
	dir    string
	module module
}

func openCache(ctx context.Context) (*cache, error) {
	m, err := findModule(ctx)
	if err != nil {
		return nil, err
	}
	base, err := CacheDir()
	if err != nil {
		return nil, err
	}
	key := fmt.Sprintf("kubernetes-%s-etcd-%s-%s-%s", m.kubernetes, m.etcd, runtime.GOOS, runtime.GOARCH)
	dir := filepath.Join(base, key)
	return &cache{dir: dir, module: m}, os.MkdirAll(dir, 0o755)
}

func (c *cache) ensure(ctx context.Context, log io.Writer, name string) (string, error) {
	path := filepath.Join(c.dir, name)
	if executable(path) {
		return path, nil
	}
	lock, err := process.Lock(ctx, filepath.Join(c.dir, "lock"), func() {
		fmt.Fprintf(log, "waiting for another process that builds %s\n", name)
	})
	if err != nil {
		return "", fmt.Errorf("lock %s: %w", c.dir, err)
	}
	defer func() { _ = lock.Unlock() }()
	if executable(path) {
		return path, nil
	}
	unfinished := path + ".unfinished"
	defer os.Remove(unfinished)
	if err := c.module.build(ctx, log, name, unfinished); err != nil {
		return "", err
	}
	if err := c.module.verify(ctx, name, unfinished); err != nil {
		return "", err
	}
	return path, os.Rename(unfinished, path)
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
