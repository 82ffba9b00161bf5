package delivery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
)

// Rotation is a kubeconfig Secret of this configuration that is to have a new token.
type Rotation struct {
	Namespace, Name string // of the Secret on the build cluster
	RunCluster      string
	Manager         cluster.Manager // of what is changed for a moment
	// Progress, if not nil, is told of each step, and Stage of the stages of the Apps,
	// NAMESPACE/NAME; both one at a time.
	Progress func(string)
	Stage    func(app, stage string)
}

// RotationReceipt says what a rotation has done.
type RotationReceipt struct {
	// Token is the new token Secret on the run cluster, "" if the token was requested.
	Token   string
	Expires time.Time // of a requested token
	Removed []string  // token Secrets
	Apps    []string  // that were shown to work with the new token
}

// rotating is one rotation.
type rotating struct {
	Rotation
	ks         *Kubeconfigs
	build, run Cluster
	secret     *unstructured.Unstructured // as it is on the build cluster
	key        string
	spec       KubeconfigSecret
	claims     kubeconfig.Claims // of a requested token
	apps       []App             // that use the Secret
	live       map[string]*unstructured.Unstructured
	old        []string   // token Secrets that go in the end
	mu         sync.Mutex // of what is told
}

// Rotate gives the kubeconfig Secret of a ServiceAccount a new token, makes the Apps that
// use it run, and removes the old token once they have succeeded.
//
// A token Secret is made before the kubeconfig is written, and removed after the Apps have
// succeeded, so that the token in the Secret is good at any moment. What an interrupted
// rotation has left is told from the ages of the token Secrets: if an older one than that
// in use is there, the one in use is new already, and is gone on with.
func (ks *Kubeconfigs) Rotate(ctx context.Context, r Rotation) (RotationReceipt, error) {
	w, err := ks.rotating(ctx, r)
	if err != nil {
		return RotationReceipt{}, err
	}
	if w.claims.ServiceAccount != "" {
		return w.request(ctx)
	}
	return w.replace(ctx)
}

// rotating looks at all that a rotation needs before anything is changed.
func (ks *Kubeconfigs) rotating(ctx context.Context, r Rotation) (*rotating, error) {
	build, err := ks.build()
	if err != nil {
		return nil, err
	}
	run, err := ks.run(r.RunCluster)
	if err != nil {
		return nil, err
	}
	w := &rotating{Rotation: r, ks: ks, build: build, run: run, live: map[string]*unstructured.Unstructured{}}
	w.spec = KubeconfigSecret{RunCluster: r.RunCluster}
	w.spec.Namespace, w.spec.Name = r.Namespace, r.Name
	if w.secret, err = find(ctx, build, w.spec.ref()); err != nil {
		return nil, err
	}
	if w.secret == nil {
		return nil, ErrNotFound
	}
	mark := carvel.MarkOf(w.secret)
	if mark.Owner != ks.Owner || mark.Resource != w.spec.resource() {
		return nil, w.unfit(UnfitForeign, mark.Describe())
	}
	w.spec.Creation = mark.Creation
	if err := w.readKubeconfig(ctx); err != nil {
		return nil, err
	}
	return w, w.findApps(ctx)
}

func (w *rotating) unfit(reason, of string) error {
	return &UnfitSecretError{Ref: w.spec.ref(), Reason: reason, Of: of}
}

// readKubeconfig finds out whose token it is, and who has written it.
func (w *rotating) readKubeconfig(ctx context.Context) error {
	w.key = carvel.OnlyKey(w.secret)
	w.spec.Key = w.key
	value, _ := carvel.SecretValue(w.secret, w.key)
	current, err := kubeconfig.CurrentContext(value)
	if err != nil || current.User == "" || current.Namespace == "" || current.Token == "" {
		return w.unfit(UnfitSource, "")
	}
	if current.Cluster != w.RunCluster {
		return w.unfit(UnfitCluster, current.Cluster)
	}
	w.spec.Manager.Name = cluster.AppliedBy(w.secret, "data", w.key)
	if w.spec.Manager.Name == "" {
		return w.unfit(UnfitKey, "")
	}
	w.spec.ServiceAccount = &ServiceAccount{Namespace: current.Namespace, Name: current.User}
	w.spec.Labels, w.spec.Annotations = cluster.OwnedMetadata(w.secret, w.spec.Manager.Name)
	w.spec.Type = carvel.SecretType(w.secret)
	w.spec.TokenSecret = w.spec.tokenOf(w.secret)
	claims, ok := kubeconfig.ReadClaims(current.Token)
	switch {
	case w.secret.GetAnnotations()[carvel.TokenSecretAnnotation] != "":
		return nil
	case ok && !claims.Expires.IsZero() && claims.Namespace == current.Namespace && claims.ServiceAccount == current.User:
		w.claims = claims
		return nil
	}
	// Versions that did not write down the token Secret knew it by its name.
	legacy, err := find(ctx, w.run, refOf(w.spec.tokenSecret()))
	if err == nil && (legacy == nil || !carvel.IsManaged(legacy)) {
		err = w.unfit(UnfitSource, "")
	}
	return err
}

// findApps are the Apps that use the Secret. If the controller does not run one, it
// could not be shown to work with the new token.
func (w *rotating) findApps(ctx context.Context) error {
	apps, err := w.build.List(ctx, carvel.Apps, w.Namespace)
	var notServed *cluster.NotServedError
	if err != nil && !errors.As(err, &notServed) {
		return err
	}
	for i := range apps {
		name, _, err := unstructured.NestedString(apps[i].Object, "spec", "cluster", "kubeconfigSecretRef", "name")
		if err != nil || name != w.Name {
			continue
		}
		a := App{ForCluster: ForCluster{Manager: w.Manager}}
		a.Namespace, a.Name = apps[i].GetNamespace(), apps[i].GetName()
		if err := a.runnable(&apps[i]); err != nil {
			return &AppError{Ref: a.ref(), Err: err}
		}
		w.apps = append(w.apps, a)
		w.live[a.Name] = &apps[i]
	}
	return nil
}

// request rotates a requested token. The old one cannot be revoked.
func (w *rotating) request(ctx context.Context) (RotationReceipt, error) {
	account := ServiceAccount{
		Namespace: w.claims.Namespace, Name: w.claims.ServiceAccount, Audiences: w.claims.Audiences,
		TokenSeconds: int64(w.claims.Expires.Sub(w.claims.Issued).Seconds()),
	}
	w.say("requesting a token of ServiceAccount %s/%s on run cluster %q", account.Namespace, account.Name, w.RunCluster)
	token, err := requestToken(ctx, w.run, account)
	if err != nil {
		return RotationReceipt{}, err
	}
	apps, err := w.use(ctx, token.Value, "")
	return RotationReceipt{Expires: token.Expires, Apps: apps}, err
}

// replace rotates the token of a token Secret.
func (w *rotating) replace(ctx context.Context) (RotationReceipt, error) {
	begun, unused, err := w.findTokens(ctx)
	if err != nil {
		return RotationReceipt{}, err
	}
	var r RotationReceipt
	if begun {
		w.say("going on with a rotation that was interrupted: %s is in use already", w.spec.TokenSecret)
		r.Token = w.spec.TokenSecret
		if r.Apps, err = w.runApps(ctx); err != nil {
			return r, &RotationError{Ref: w.spec.ref(), Old: w.old, New: r.Token, Err: err}
		}
	} else if err = w.renew(ctx, unused, &r); err != nil {
		return r, err
	}
	for _, name := range w.old {
		w.say("removing token Secret %s on run cluster %q", name, w.RunCluster)
		gone := w.spec
		gone.TokenSecret = name
		if err := w.ks.deleteToken(ctx, gone); err != nil {
			return r, err
		}
		r.Removed = append(r.Removed, name)
	}
	return r, nil
}

// use writes the kubeconfig with a token, and makes the Apps run with it. If they do not
// succeed, the kubeconfig gets the token again that it had.
func (w *rotating) use(ctx context.Context, token []byte, tokenSecret string) (apps []string, err error) {
	before := w.secret
	old, _ := carvel.SecretValue(before, w.key)
	renewed, err := kubeconfig.WithToken(old, string(token))
	if err != nil {
		return nil, err
	}
	w.say("writing Secret %s/%s with the new token", w.Namespace, w.Name)
	if w.secret, err = w.write(ctx, renewed, tokenSecret); err != nil {
		return nil, err
	}
	if apps, err = w.runApps(ctx); err == nil {
		return apps, nil
	}
	failed := &RotationError{Ref: w.spec.ref(), Old: w.old, New: tokenSecret, Err: err}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	w.say("writing Secret %s/%s with the old token again", w.Namespace, w.Name)
	was := before.GetAnnotations()[carvel.TokenSecretAnnotation]
	_, failed.NotRestored = w.write(bounded, old, was)
	failed.Restored = failed.NotRestored == nil
	return apps, failed
}

// write applies the Secret by the field manager that has applied it before, with all that
// it has: its resource finds nothing of another's.
func (w *rotating) write(ctx context.Context, data []byte, tokenSecret string) (*unstructured.Unstructured, error) {
	obj := carvel.KubeconfigSecret(w.spec.KubeconfigSecretSpec, kubeconfig.File{YAML: data})
	annotations := obj.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[carvel.RotatedAnnotation] = Fingerprint(w.spec.KubeconfigSecretSpec, data)
	if delete(annotations, carvel.TokenSecretAnnotation); tokenSecret != "" {
		annotations[carvel.TokenSecretAnnotation] = tokenSecret
	}
	obj.SetAnnotations(annotations)
	return w.build.ApplyOver(ctx, w.spec.ref(), obj, w.secret, w.spec.Manager)
}

// mostRuns is how many Apps are made to run at a time.
const mostRuns = 8

// runApps makes the Apps run that use the Secret, and waits for all of them. It returns
// those that have succeeded.
func (w *rotating) runApps(ctx context.Context) (worked []string, err error) {
	failed := make([]error, len(w.apps))
	var group errgroup.Group
	group.SetLimit(mostRuns)
	for i, a := range w.apps {
		a.Stage = func(stage string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.Stage != nil {
				w.Stage(a.Namespace+"/"+a.Name, stage)
			}
		}
		w.say("App %s/%s: made to fetch and deploy with the new token", a.Namespace, a.Name)
		group.Go(func() error {
			if _, err := w.ks.apps.rerun(ctx, w.build, a, w.live[a.Name]); err != nil {
				failed[i] = &AppError{Ref: a.ref(), Err: err}
			}
			return nil
		})
	}
	_ = group.Wait() // they are in failed
	for i, a := range w.apps {
		if failed[i] == nil {
			worked = append(worked, a.Name)
		}
	}
	return worked, errors.Join(failed...)
}

func (w *rotating) say(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.Progress != nil {
		w.Progress(fmt.Sprintf(format, args...))
	}
}

// lifeIn is the life of the requested token in a kubeconfig, zero if it has none.
func lifeIn(value []byte) kubeconfig.Life {
	current, err := kubeconfig.CurrentContext(value)
	if err != nil {
		return kubeconfig.Life{}
	}
	claims, _ := kubeconfig.ReadClaims(strings.TrimSpace(current.Token))
	return claims.Life
}
