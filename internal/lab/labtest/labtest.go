// Package labtest gives acceptance tests a lab: the one that LAB_* describe, or
// one of their own process that starts at the first Get.
//
//	func TestMain(m *testing.M) { os.Exit(labtest.Main(m)) }
//
//	func TestAccApp_basic(t *testing.T) {
//		l := labtest.Get(t)
//		build := labtest.Client(t, l.Build)
//		namespace := labtest.Name(t)
package labtest

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/binaries"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/suite"
)

var shared struct {
	mu      sync.Mutex
	started bool
	lab     *lab.Lab
	err     error
}

// Main runs the tests of a package and stops the lab after them, whether they
// pass, fail or are interrupted by SIGINT or SIGTERM. It returns the exit code.
// A panic ends the process before Main can; the lab's guard then cleans up.
func Main(m *testing.M) int {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	starting = ctx
	go func() {
		received := <-signals
		cancel() // a start under way gives up and releases the lock that stop takes
		stop()
		code := 1
		if number, ok := received.(syscall.Signal); ok {
			code = 128 + int(number)
		}
		os.Exit(code)
	}()
	defer stop()
	return m.Run()
}

// syncPeriod of the embedded lab. Tests that wait for a periodic run need not
// wait for the real controller's 30 seconds.
const syncPeriod = 5 * time.Second

// starting bounds the start of the lab; Main ends it on a signal.
var starting = context.Background()

// Get returns the lab: the one that LAB_* describe, else one that is started at
// the first call and shared by the process. It fails the test if there is
// none to be had, and skips it if TF_ACC is not set. Tests that use it may run in
// parallel.
func Get(t testing.TB) *lab.Lab {
	t.Helper()
	suite.Acceptance(t, "needs a lab")
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if !shared.started {
		shared.started = true
		shared.lab, shared.err = open()
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.lab
}

// Own starts a lab of the test's own, with the build cluster alone, for what the
// shared one must not be put through. It ends with the test. If LAB_* name
// clusters and no control plane has been built here, the test is skipped.
func Own(t testing.TB) *lab.Lab {
	t.Helper()
	suite.Acceptance(t, "needs a lab")
	_, elsewhere, err := lab.FromEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	if built, err := binaries.Built(t.Context()); elsewhere && (err != nil || !built) {
		t.Skip("a control plane of the test's own is needed, and the lab is elsewhere; make lab builds one")
	}
	l, err := lab.Start(starting, lab.Options{Log: os.Stderr, Alone: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Stop(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func open() (*lab.Lab, error) {
	if l, ok, err := lab.FromEnvironment(); ok || err != nil {
		return l, err
	}
	return lab.Start(starting, lab.Options{Log: os.Stderr, SyncPeriod: syncPeriod})
}

func stop() {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.lab == nil {
		return
	}
	if err := shared.lab.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	shared.lab, shared.err = nil, fmt.Errorf("labtest: the lab has been stopped")
}
