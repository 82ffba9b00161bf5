package lab

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/binaries"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/process"
)

// directoryPrefix begins the name of every lab's directory.
const directoryPrefix = "carvel-lab-"

// claimDir makes the lab's directory, locks it for as long as this process
// lives, sets a guard over it, and removes those that earlier labs left behind.
// One lock for all labs of a user keeps a directory that is being made apart
// from one that was left behind.
func (l *Lab) claimDir(ctx context.Context) error {
	parent := l.options.Dir
	if parent == "" {
		parent = os.TempDir()
	}
	parent, err := filepath.Abs(parent)
	if err != nil {
		return err
	}
	cache, err := binaries.CacheDir()
	if err != nil {
		return err
	}
	lock, err := process.Lock(ctx, filepath.Join(cache, "directories.lock"), nil)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Unlock() }()
	sweep(parent)
	if l.Dir, err = os.MkdirTemp(parent, directoryPrefix); err != nil {
		return err
	}
	if l.lock, err = process.TryLock(ownerLock(l.Dir)); err == nil {
		l.guard, err = process.NewGuard(l.Dir, l.lock)
	}
	if err != nil {
		_ = l.releaseDir()
		return err
	}
	return nil
}

// releaseDir removes the directory and ends what claimDir began. The guard goes
// last, so that it finishes the work if this process is killed meanwhile.
func (l *Lab) releaseDir() error {
	err := removeAll(l.Dir)
	if l.guard != nil {
		l.guard.Release()
	}
	if l.lock != nil {
		_ = l.lock.Unlock()
	}
	return err
}

// removeAll tries again for a while: a process that a server of the lab started
// may still write a last file.
func removeAll(dir string) error {
	var err error
	for range 20 {
		if err = os.RemoveAll(dir); err == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

// sweep removes the directories whose owner has died together with its guard.
// Their processes are gone: the kernel or the guard killed them. Directories of
// other users cannot be locked and stay.
func sweep(parent string) {
	dirs, _ := filepath.Glob(filepath.Join(parent, directoryPrefix+"*"))
	for _, dir := range dirs {
		if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
			continue
		}
		lock, err := process.TryLock(ownerLock(dir))
		if lock == nil || err != nil {
			continue
		}
		_ = os.RemoveAll(dir)
		_ = lock.Unlock()
	}
}

func ownerLock(dir string) string { return filepath.Join(dir, "owner.lock") }
