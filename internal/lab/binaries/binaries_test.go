package binaries

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEnsure_takesTheAssetsAsTheyAre(t *testing.T) {
	assets := t.TempDir()
	for _, name := range []string{etcd, apiServer, controllerManager} {
		writeScript(t, filepath.Join(assets, name), "exit 0")
	}
	t.Setenv(EnvAssets, assets)
	t.Setenv(EnvCache, filepath.Join(t.TempDir(), "untouched"))
	var log bytes.Buffer
	set, err := Ensure(t.Context(), &log)
	if err != nil {
		t.Fatal(err)
	}
	want := Set{filepath.Join(assets, etcd), filepath.Join(assets, apiServer), filepath.Join(assets, controllerManager)}
	if set != want {
		t.Errorf("got %+v, want %+v", set, want)
	}
	if _, err := os.Stat(os.Getenv(EnvCache)); err == nil || log.Len() > 0 {
		t.Errorf("nothing was to be built: %s", log.String())
	}
}

func TestEnsure_fillsWhatTheAssetsLack(t *testing.T) {
	assets := t.TempDir()
	writeScript(t, filepath.Join(assets, etcd), "exit 0")
	writeScript(t, filepath.Join(assets, apiServer), "exit 0")
	t.Setenv(EnvAssets, assets)
	t.Setenv(EnvCache, t.TempDir())
	c, err := openCache(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	writeScript(t, filepath.Join(c.dir, controllerManager), "exit 0")
	set, err := Ensure(t.Context(), &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	want := Set{filepath.Join(assets, etcd), filepath.Join(assets, apiServer), filepath.Join(c.dir, controllerManager)}
	if set != want {
		t.Errorf("got %+v, want %+v", set, want)
	}
}

func TestFindModule_fromAnyDirectoryOfTheTree(t *testing.T) {
	here, err := findModule(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if here.kubernetes == "" || here.etcd == "" {
		t.Errorf("versions are missing: %+v", here)
	}
	t.Chdir(here.dir)
	nested, err := findModule(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if nested != here {
		t.Errorf("from the nested module: got %+v, want %+v", nested, here)
	}
}

func TestFindModule_outsideTheTree(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := findModule(t.Context()); err == nil || !strings.Contains(err.Error(), "source tree") {
		t.Errorf("got %v", err)
	}
}

func TestVerify(t *testing.T) {
	m := module{kubernetes: "v1.37.2", etcd: "v3.7.3"}
	for name, c := range map[string]struct{ binary, script, want string }{
		"kubernetes":    {apiServer, "echo Kubernetes v1.37.2", ""},
		"etcd":          {etcd, "echo etcd Version: 3.7.3", ""},
		"wrong version": {apiServer, "echo Kubernetes v1.37.20", "was built as v1.37.2"},
		"cannot run":    {etcd, "echo no such instruction >&2; exit 1", "no such instruction"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), c.binary)
			writeScript(t, path, c.script)
			err := m.verify(t.Context(), c.binary, path)
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestTarget_linksTheVersionIn(t *testing.T) {
	m := module{kubernetes: "v1.37.2", etcd: "v3.7.3"}
	pkg, version, flags := m.target(apiServer)
	if pkg != "k8s.io/kubernetes/cmd/kube-apiserver" || version != "v1.37.2" {
		t.Errorf("got %s %s", pkg, version)
	}
	for _, want := range []string{"gitVersion=v1.37.2", "gitMajor=1", "gitMinor=37"} {
		if !strings.Contains(flags, want) {
			t.Errorf("%q lacks %q", flags, want)
		}
	}
}

func TestEnsure_leavesNothingOfABuildThatFails(t *testing.T) {
	tools := t.TempDir()
	writeScript(t, filepath.Join(tools, "go"), `[ "$1" = build ] && { : >"$5"; echo no space left >&2; exit 1; }
case "$1" in env) echo "$LAB_TEST_GOMOD" ;; list) echo v1.37.2; echo v3.7.3 ;; esac`)
	here, err := findModule(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("LAB_TEST_GOMOD", filepath.Join(here.dir, "go.mod"))
	t.Setenv("PATH", tools+":"+os.Getenv("PATH"))
	t.Setenv(EnvAssets, "")
	t.Setenv(EnvCache, t.TempDir())
	_, err = Ensure(t.Context(), &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("got %v", err)
	}
	left, _ := filepath.Glob(filepath.Join(os.Getenv(EnvCache), "*", "*etcd*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestEnsure_isGivenUpWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	t.Setenv(EnvAssets, "")
	t.Setenv(EnvCache, t.TempDir())
	if _, err := Ensure(ctx, &bytes.Buffer{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func writeScript(t *testing.T, path, script string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}
