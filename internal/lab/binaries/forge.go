package binaries

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/process"
)

const forgeModule = "code.gitea.io/gitea"

// Forge is a Gitea.
type Forge struct {
	Binary string
	// Static is the directory of its templates, its options and its public files.
	Static string
}

// ErrNoCompiler: the forge keeps its data in SQLite, which is C.
var ErrNoCompiler = errors.New("no C compiler is installed, with which the lab's forge is built: install gcc and the C library's headers")

// EnsureForge returns the forge in the version that internal/lab/forge pins, and builds it if it is not in the cache.
func EnsureForge(ctx context.Context, log io.Writer) (Forge, error) {
	f, err := findForge(ctx)
	if err != nil || executable(f.Binary) {
		return f.Forge, err
	}
	if _, err := exec.LookPath("gcc"); err != nil {
		return Forge{}, ErrNoCompiler
	}
	if err := os.MkdirAll(filepath.Dir(f.Binary), 0o755); err != nil {
		return Forge{}, err
	}
	lock, err := process.Lock(ctx, filepath.Join(filepath.Dir(f.Binary), "lock"), func() { fmt.Fprintln(log, "waiting for another process that builds gitea") })
	if err != nil {
		return Forge{}, err
	}
	defer func() { _ = lock.Unlock() }()
	if executable(f.Binary) {
		return f.Forge, nil
	}
	unfinished := f.Binary + ".unfinished"
	defer os.Remove(unfinished)
	cmd := exec.Command("go", "build", "-trimpath", "-tags", "sqlite sqlite_unlock_notify",
		"-ldflags", "-s -w -X main.Version="+strings.TrimPrefix(f.version, "v"), "-o", unfinished, forgeModule)
	cmd.Dir, cmd.Env = f.dir, append(buildEnv(), "CGO_ENABLED=1")
	if err := run(ctx, log, "gitea "+f.version, cmd); err != nil {
		return Forge{}, err
	}
	said, err := exec.CommandContext(ctx, unfinished, "--version").CombinedOutput()
	if err != nil || !bytes.Contains(said, []byte(strings.TrimPrefix(f.version, "v"))) {
		return Forge{}, fmt.Errorf("gitea was built as %s and says %q: %w", f.version, bytes.TrimSpace(said), err)
	}
	return f.Forge, os.Rename(unfinished, f.Binary)
}

// BuiltForge returns the forge if it is in the cache.
func BuiltForge(ctx context.Context) (Forge, bool, error) {
	f, err := findForge(ctx)
	return f.Forge, err == nil && executable(f.Binary), err
}

type forge struct {
	Forge
	dir, version string // of the module that pins it
}

func findForge(ctx context.Context) (forge, error) {
	dir, err := nested(ctx, "lab/forge")
	if err != nil {
		return forge{}, err
	}
	version, static, err := sources(ctx, dir, forgeModule)
	if err != nil {
		return forge{}, err
	}
	base, err := CacheDir()
	if err != nil {
		return forge{}, err
	}
	binary := filepath.Join(base, fmt.Sprintf("gitea-%s-%s-%s", version, runtime.GOOS, runtime.GOARCH), "gitea")
	return forge{Forge: Forge{Binary: binary, Static: static}, dir: dir, version: version}, nil
}
