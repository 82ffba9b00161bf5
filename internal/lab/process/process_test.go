package process_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/process"
)

var environment = []string{"PATH=/usr/bin:/bin"}

func start(t *testing.T, script string) *process.Process {
	t.Helper()
	p, err := process.Start("child", filepath.Join(t.TempDir(), "child.log"), environment, "/bin/sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop(0) })
	return p
}

func TestErr_carriesTheLog(t *testing.T) {
	p := start(t, "for i in $(seq 40); do echo line $i; done; echo the reason >&2; exit 3")
	<-p.Done()
	text := p.Err().Error()
	for _, want := range []string{"child ended", "exit status 3", "line 40", "the reason"} {
		if !strings.Contains(text, want) {
			t.Errorf("the error lacks %q: %s", want, text)
		}
	}
	if strings.Contains(text, "line 9\n") {
		t.Errorf("the error carries more than the last lines: %s", text)
	}
}

func TestStart_givesNoOtherEnvironment(t *testing.T) {
	t.Setenv("LAB_PROCESS_TEST", "inherited")
	p := start(t, `echo "<$LAB_PROCESS_TEST>"`)
	<-p.Done()
	if got := p.Tail(); got != "<>" {
		t.Errorf("the child printed %q", got)
	}
}

func TestStop(t *testing.T) {
	for name, script := range map[string]string{
		"ends on SIGTERM":      "echo up; sleep 1000",
		"is deaf to SIGTERM":   "trap '' TERM; echo up; while :; do sleep 1000; done",
		"has ended by itself":  "echo up",
		"was replaced by exec": "echo up; exec sleep 1000",
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, script)
			eventually(t, "the script has begun", func() bool { return strings.Contains(p.Tail(), "up") })
			if err := p.Stop(50 * time.Millisecond); err != nil {
				t.Fatal(err)
			}
			if p.Err() == nil {
				t.Error("Stop returned before the process had ended")
			}
		})
	}
}

// The owner is this test in a process of its own, which is killed.
func TestGuard_cleansUpAfterItsOwner(t *testing.T) {
	if os.Getenv("LAB_PROCESS_TEST_OWNER") != "" {
		own(os.Getenv("LAB_PROCESS_TEST_OWNER"))
	}
	dir := filepath.Join(t.TempDir(), "guarded")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	owner := exec.Command(os.Args[0], "-test.run=^TestGuard_cleansUpAfterItsOwner$")
	owner.Env = append(os.Environ(), "LAB_PROCESS_TEST_OWNER="+dir)
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	ready := filepath.Join(dir, "ready")
	eventually(t, "the owner is ready", func() bool { _, err := os.Stat(ready); return err == nil })
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = owner.Wait()
	eventually(t, "the directory is gone", func() bool {
		_, err := os.Stat(dir)
		return errors.Is(err, fs.ErrNotExist)
	})
}

// own guards dir, starts a child that keeps writing to it, and waits to be killed.
func own(dir string) {
	lock, err := process.TryLock(filepath.Join(dir, "owner.lock"))
	if err != nil {
		panic(err)
	}
	guard, err := process.NewGuard(dir, lock)
	if err != nil {
		panic(err)
	}
	child, err := process.Start("child", filepath.Join(dir, "child.log"), environment, "/bin/sh", "-c", "while :; do echo more >file; done")
	if err != nil {
		panic(err)
	}
	if err := guard.Add(child); err != nil {
		panic(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ready"), nil, 0o600); err != nil {
		panic(err)
	}
	select {}
}

func TestGuard_releaseLeavesTheDirectory(t *testing.T) {
	dir := t.TempDir()
	lock, err := process.TryLock(filepath.Join(dir, "owner.lock"))
	if err != nil {
		t.Fatal(err)
	}
	guard, err := process.NewGuard(dir, lock)
	if err != nil {
		t.Fatal(err)
	}
	guard.Release()
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
	if err := lock.Unlock(); err != nil {
		t.Error(err)
	}
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	held, err := process.TryLock(path)
	if err != nil || held == nil {
		t.Fatalf("got %v, %v", held, err)
	}
	if second, err := process.TryLock(path); err != nil || second != nil {
		t.Fatalf("a second lock: got %v, %v", second, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = process.Lock(ctx, path, cancel)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("a wait that was given up: got %v", err)
	}
	again, err := process.Lock(t.Context(), path, func() { _ = held.Unlock() })
	if err != nil {
		t.Fatal(err)
	}
	_ = again.Unlock()
}

// eventually waits as long as the test may run.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline, ok := t.Deadline()
	if !ok {
		deadline = time.Now().Add(5 * time.Minute)
	}
	for !condition() {
		if time.Until(deadline) < 5*time.Second {
			t.Fatalf("not so in time: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
