package lab

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/process"
)

func TestSweep(t *testing.T) {
	parent := t.TempDir()
	paths := map[string]string{}
	for _, name := range []string{"stale", "live", "unlocked"} {
		paths[name] = filepath.Join(parent, directoryPrefix+name)
		if err := os.Mkdir(paths[name], 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"other", directoryPrefix + "file"} {
		paths[name] = filepath.Join(parent, name)
		if err := os.WriteFile(paths[name], nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(ownerLock(paths["stale"]), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	lock, err := process.TryLock(ownerLock(paths["live"]))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Unlock() }()

	sweep(parent)
	for name, path := range paths {
		_, err := os.Stat(path)
		gone := name == "stale" || name == "unlocked"
		if gone != os.IsNotExist(err) {
			t.Errorf("%s: gone should be %t, got %v", name, gone, err)
		}
	}
}
