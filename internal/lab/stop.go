package lab

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/process"
)

// grace is what a process gets between SIGTERM and SIGKILL. All its data is
// thrown away.
const grace = 3 * time.Second

// Stop ends everything that Start began and removes the lab's directory. It is
// safe to call more than once and from several goroutines; each call returns
// when the lab is down. For a lab from the environment it does nothing.
func (l *Lab) Stop() error {
	l.stopOnce.Do(func() { l.stopErr = l.stop() })
	return l.stopErr
}

func (l *Lab) stop() error {
	if l.Dir == "" {
		return nil
	}
	l.stopping.Store(true)
	var errs []error
	errs = append(errs, l.standIns.stop())
	if l.git != nil {
		errs = append(errs, l.git.Close())
	}
	if l.Forge != nil {
		errs = append(errs, l.Forge.Close())
	}
	// A kube-apiserver whose etcd is gone hangs in its shutdown.
	errs = append(errs, stopAll(l.managers), stopAll(l.apiservers))
	if l.etcd != nil {
		errs = append(errs, l.etcd.Stop(grace))
	}
	errs = append(errs, l.releaseDir())
	return errors.Join(errs...)
}

func stopAll(processes map[string]*process.Process) error {
	errs := make([]error, len(processes))
	var wait sync.WaitGroup
	for i, p := range slices.Collect(maps.Values(processes)) {
		wait.Go(func() { errs[i] = p.Stop(grace) })
	}
	wait.Wait()
	return errors.Join(errs...)
}
