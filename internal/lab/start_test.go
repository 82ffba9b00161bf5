package lab_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/binaries"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/suite"
)

// assets makes a directory of binaries in which scripts stand for some.
func assets(t *testing.T, scripts map[string]string) {
	t.Helper()
	real, err := binaries.Ensure(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, path := range map[string]string{
		"etcd": real.Etcd, "kube-apiserver": real.APIServer, "kube-controller-manager": real.ControllerManager,
	} {
		script, ok := scripts[name]
		if !ok {
			script = `exec "$REAL" "$@"`
		}
		text := fmt.Sprintf("#!/bin/sh\nREAL='%s' DIR='%s'\n%s\n", path, dir, script)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv(binaries.EnvAssets, dir)
}

func isEmpty(t *testing.T, dir string) {
	t.Helper()
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestStart_saysWhyAProcessDied(t *testing.T) {
	suite.Acceptance(t, "needs a lab")
	for name, scripts := range map[string]map[string]string{
		"at once":      {"etcd": "echo the disk is full >&2; exit 1"},
		"a little on":  {"kube-apiserver": "echo the disk is full >&2; exit 1"},
		"near the end": {"kube-controller-manager": "echo the disk is full >&2; exit 1"},
	} {
		t.Run(name, func(t *testing.T) {
			assets(t, scripts)
			dir := t.TempDir()
			_, err := lab.Start(t.Context(), lab.Options{Dir: dir, Bare: true})
			if err == nil || !strings.Contains(err.Error(), "ended: exit status 1") || !strings.Contains(err.Error(), "the disk is full") {
				t.Errorf("got %v", err)
			}
			isEmpty(t, dir)
		})
	}
}

func TestStart_isGivenUpWithItsContext(t *testing.T) {
	assets(t, map[string]string{"kube-apiserver": `: >"$DIR/asked"; exec sleep 1000`})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		eventually(t, "kube-apiserver was started", func(context.Context) bool {
			_, err := os.Stat(filepath.Join(os.Getenv(binaries.EnvAssets), "asked"))
			return err == nil
		})
		cancel()
	}()
	dir := t.TempDir()
	if _, err := lab.Start(ctx, lab.Options{Dir: dir, Bare: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	isEmpty(t, dir)
}

func TestStart_takesAnotherPortWhereOneIsTaken(t *testing.T) {
	suite.Acceptance(t, "needs a lab")
	assets(t, map[string]string{"kube-apiserver": `mkdir "$DIR/first" 2>/dev/null && {
	echo "listen tcp 127.0.0.1:1: bind: address already in use" >&2
	exit 1
}
exec "$REAL" "$@"`})
	dir := t.TempDir()
	var log bytes.Buffer
	l, err := lab.Start(t.Context(), lab.Options{Dir: dir, Bare: true, Log: &log})
	if err != nil {
		t.Fatal(err)
	}
	if l.Git != (lab.Git{}) {
		t.Errorf("a bare lab has a Git server: %+v", l.Git)
	}
	if !strings.Contains(log.String(), "lab ready") {
		t.Errorf("the log is %q", log.String())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Wait(ctx); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := l.Stop(); err != nil {
			t.Error(err)
		}
	}
	isEmpty(t, dir)
}

// TestRestart: a lab of one cluster, whose kube-apiserver comes back at its
// address with what it held.
func TestRestart(t *testing.T) {
	suite.Acceptance(t, "needs a lab")
	dir := t.TempDir()
	l, err := lab.Start(t.Context(), lab.Options{Dir: dir, Alone: true})
	if err != nil {
		t.Fatal(err)
	}
	if clusters := l.Clusters(); len(clusters) != 1 || clusters[0].Name != "build" || l.Staging.Server != "" {
		t.Errorf("clusters %+v", clusters)
	}
	defer func() { _ = l.Stop() }()
	before := l.Build
	const namespace = "kept"
	kept := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": namespace}}}
	if _, err := labtest.Client(t, before).Resource(namespaces).Create(t.Context(), kept, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, certificates := range []lab.Certificates{lab.SameCertificates, lab.NewCertificates, lab.NewAuthority} {
		var asked bool
		after, err := l.Restart(t.Context(), "build", certificates, func() {
			asked = true
			if _, err := labtest.Client(t, before).Resource(namespaces).Get(t.Context(), namespace, metav1.GetOptions{}); err == nil {
				t.Error("the kube-apiserver answers while it is down")
			}
		})
		if err != nil || !asked || after.Server != before.Server {
			t.Fatalf("restarted at %s, was at %s: %v", after.Server, before.Server, err)
		}
		if got := bytes.Equal(after.CA, before.CA); got == (certificates == lab.NewAuthority) {
			t.Errorf("the authority is the same: %t", got)
		}
		if _, err := labtest.Client(t, after).Resource(namespaces).Get(t.Context(), namespace, metav1.GetOptions{}); err != nil {
			t.Error(err)
		}
	}
	if _, err := l.Restart(t.Context(), "prod", lab.SameCertificates, nil); err == nil {
		t.Error("a cluster that the lab does not have was restarted")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := l.Wait(ctx); err != nil {
		t.Errorf("a restart counts as an end: %v", err)
	}
	if err := l.Stop(); err != nil {
		t.Error(err)
	}
	isEmpty(t, dir)
}

func TestStart_refusesAPathTooLongForASocket(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, strings.Repeat("long", 30))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := lab.Start(t.Context(), lab.Options{Dir: dir, Bare: true}); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("got %v", err)
	}
	isEmpty(t, dir)
}
