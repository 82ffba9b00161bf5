package lab

import (
	"context"
	"fmt"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/process"
)

// Certificates say what a restarted kube-apiserver shows and accepts.
type Certificates int

const (
	// SameCertificates are those of before.
	SameCertificates Certificates = iota
	// NewCertificates are issued by the same authority; those of before are
	// accepted still.
	NewCertificates
	// NewAuthority issues all certificates; those of before are worth nothing.
	NewAuthority
)

// restartLimit is far beyond what a restart takes on a busy machine.
const restartLimit = 3 * time.Minute

// Restart ends the kube-apiserver of a cluster at once, as a crash would, and
// starts it again at the same address. Meanwhile calls down, which may be nil.
// It returns the cluster, whose kubeconfig is written anew, when it is ready.
func (l *Lab) Restart(ctx context.Context, name string, certificates Certificates, down func()) (Cluster, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, restartLimit, fmt.Errorf("no restart within %s", restartLimit))
	defer cancel()
	c := l.clusters[name]
	if c == nil {
		return Cluster{}, fmt.Errorf("lab: cluster %s is not of this lab", name)
	}
	if err := l.end(l.apiservers, name); err != nil {
		return Cluster{}, err
	}
	if down != nil {
		down()
	}
	if certificates == NewAuthority {
		var err error
		if c.ca, err = newAuthority("lab " + name); err != nil {
			return Cluster{}, err
		}
	}
	if certificates != SameCertificates {
		if err := c.issue(); err != nil {
			return Cluster{}, err
		}
	}
	for {
		taken, err := l.startAPIServerAt(ctx, c, c.port)
		if err == nil {
			break
		}
		if !taken || ctx.Err() != nil {
			return Cluster{}, err
		}
	}
	if certificates == NewAuthority { // the controllers have read their kubeconfig
		if err := l.end(l.managers, name); err != nil {
			return Cluster{}, err
		}
		if err := l.startControllerManager(c); err != nil {
			return Cluster{}, err
		}
	}
	return c.public(), nil
}

// end kills a process, and does not report that it has ended.
func (l *Lab) end(processes map[string]*process.Process, name string) error {
	l.mu.Lock()
	p := processes[name]
	l.ending[p] = true
	l.mu.Unlock()
	return p.Stop(0)
}
