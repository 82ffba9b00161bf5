package delivery

import (
	"context"
	"errors"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel/health"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// lookAgain is after how long without a change the judge is asked again: it may
// take a run for one that has seen a change when nothing more happens.
const lookAgain = time.Second

// appWatch holds what the build cluster and the run cluster show of an App and
// of the PackageInstalls that it deploys, by name.
type appWatch struct {
	changes chan struct{} // holds a token when something has changed

	mu       sync.Mutex
	looked   bool // at the App
	app      *unstructured.Unstructured
	installs map[string]map[string]*unstructured.Unstructured // by namespace
	apps     map[string]map[string]*unstructured.Unstructured
	secrets  map[cluster.Ref]*unstructured.Unstructured
	changed  map[cluster.Ref]time.Time // when a Secret, or the App of a PackageInstall, was last seen to change
	earlier  map[cluster.Ref]time.Time // when a Secret was last written before it had its present content
	unseen   error                     // why the run cluster cannot be looked at
}

func newAppWatch() *appWatch {
	return &appWatch{
		changes:  make(chan struct{}, 1),
		installs: map[string]map[string]*unstructured.Unstructured{},
		apps:     map[string]map[string]*unstructured.Unstructured{},
		secrets:  map[cluster.Ref]*unstructured.Unstructured{},
		changed:  map[cluster.Ref]time.Time{},
		earlier:  map[cluster.Ref]time.Time{},
	}
}

// change makes a change, and announces it.
func (w *appWatch) change(how func()) {
	w.mu.Lock()
	how()
	w.mu.Unlock()
	select {
	case w.changes <- struct{}{}:
	default: // announced already
	}
}

// followApp looks at the App itself until ctx ends.
func (w *appWatch) followApp(ctx context.Context, build Cluster, ref cluster.Ref) error {
	return build.Wait(ctx, ref, func(obj *unstructured.Unstructured) (bool, error) {
		w.change(func() { w.app, w.looked = obj, true })
		return false, nil
	})
}

// live is the App as it is; looked reports whether it has been looked at.
func (w *appWatch) live() (app *unstructured.Unstructured, looked bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.app, w.looked
}

// follows are the looks at the run cluster for the PackageInstalls. Each goes on
// until ctx ends.
func (w *appWatch) follows(run Cluster, installs []expectedInstall) []func(context.Context) error {
	var follows []func(context.Context) error
	namespaces, secrets := map[string]bool{}, map[cluster.Ref]bool{}
	for _, i := range installs {
		for _, s := range i.reads {
			ref := cluster.Ref{Resource: carvel.Secrets, Namespace: i.namespace, Name: s.Name}
			if secrets[ref] {
				continue
			}
			secrets[ref] = true
			follows = append(follows, func(ctx context.Context) error {
				return run.Wait(ctx, ref, func(obj *unstructured.Unstructured) (bool, error) {
					w.change(func() { w.noteSecret(ref, w.secrets[ref], obj); w.secrets[ref] = obj })
					return false, nil
				})
			})
		}
		if namespaces[i.namespace] {
			continue
		}
		namespaces[i.namespace] = true
		follows = append(follows, func(ctx context.Context) error {
			return run.Follow(ctx, carvel.PackageInstalls, i.namespace, func(objects map[string]*unstructured.Unstructured) {
				w.change(func() { w.installs[i.namespace] = objects })
			})
		}, func(ctx context.Context) error {
			return run.Follow(ctx, carvel.Apps, i.namespace, func(objects map[string]*unstructured.Unstructured) {
				w.change(func() {
					for name, obj := range objects {
						w.note(cluster.Ref{Resource: carvel.Apps, Namespace: i.namespace, Name: name}, w.apps[i.namespace][name], obj)
					}
					w.apps[i.namespace] = objects
				})
			})
		})
	}
	for i, follow := range follows {
		follows[i] = func(ctx context.Context) error { return w.tolerate(follow(ctx)) }
	}
	return follows
}

// note remembers when an object was last seen to change.
func (w *appWatch) note(ref cluster.Ref, before, now *unstructured.Unstructured) {
	if before == nil || now == nil || before.GetResourceVersion() != now.GetResourceVersion() {
		w.changed[ref] = time.Now()
	}
}

// noteSecret remembers also how its content came about. Every version is seen here,
// if a judgement may pass one over.
func (w *appWatch) noteSecret(ref cluster.Ref, before, now *unstructured.Unstructured) {
	w.note(ref, before, now)
	if was, is := health.ObserveSecret(carvel.DeployedSecret{}, before), health.ObserveSecret(carvel.DeployedSecret{}, now); was.Content != is.Content {
		w.earlier[ref] = was.Written
	}
}

// tolerate lets the App be judged by itself if the run cluster may not be
// looked at.
func (w *appWatch) tolerate(err error) error {
	var notServed *cluster.NotServedError
	if apierrors.IsForbidden(err) || errors.As(err, &notServed) {
		w.change(func() { w.unseen = err })
		return nil
	}
	return err
}

// install is a PackageInstall and its App as they are now, nil if they are not there
// or nobody may look at them.
func (w *appWatch) install(e expectedInstall) (*carvel.InstallStatus, *carvel.InstallApp, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	install, app := w.installs[e.namespace][e.name], w.apps[e.namespace][e.name]
	if w.unseen != nil || install == nil || app == nil {
		return nil, nil, nil
	}
	status, err := carvel.ReadInstallStatus(install)
	if err != nil {
		return nil, nil, err
	}
	made, err := carvel.ReadInstallApp(app)
	return &status, &made, err
}

// observedInstalls are the PackageInstalls as they are now, nil if nobody
// may look at them; ready reports whether all have been looked at.
func (w *appWatch) observedInstalls(expected []expectedInstall) (installs []health.ObservedInstall, ready bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.unseen != nil {
		return nil, true, nil
	}
	for _, e := range expected {
		o := health.ObservedInstall{Namespace: e.namespace, Name: e.name, Wanted: e.extensions, Values: e.values}
		if w.installs[e.namespace] == nil || w.apps[e.namespace] == nil {
			return nil, false, nil
		}
		if live := w.installs[e.namespace][e.name]; live != nil {
			status, err := carvel.ReadInstallStatus(live)
			if err != nil {
				return nil, false, err
			}
			o.Status = &status
		}
		if live := w.apps[e.namespace][e.name]; live != nil {
			app, err := carvel.ReadInstallApp(live)
			if err != nil {
				return nil, false, err
			}
			o.App = &app
		}
		last := w.changed[cluster.Ref{Resource: carvel.Apps, Namespace: e.namespace, Name: e.name}]
		for _, s := range e.reads {
			ref := cluster.Ref{Resource: carvel.Secrets, Namespace: e.namespace, Name: s.Name}
			live, looked := w.secrets[ref]
			if !looked {
				return nil, false, nil
			}
			secret := health.ObserveSecret(s, live)
			secret.Earlier = w.earlier[ref]
			o.Reads = append(o.Reads, secret)
			if t := w.changed[ref]; t.After(last) {
				last = t
			}
		}
		o.Quiet = time.Since(last)
		installs = append(installs, o)
	}
	return installs, true, nil
}
