package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
)

// Kubeconfigs are the use cases about kubeconfigs of run clusters.
type Kubeconfigs struct {
	*ownership
	clusters
	apps *Apps // which may have failed for want of a token that was good
}

// KubeconfigSecret is a run cluster's kubeconfig on the build cluster.
// Exactly one of Kubeconfig and ServiceAccount is set.
type KubeconfigSecret struct {
	carvel.KubeconfigSecretSpec
	RunCluster     string
	Kubeconfig     []byte
	ServiceAccount *ServiceAccount
	// Keep is the fingerprint of the kubeconfig that is in the Secret and stays
	// there; empty: it is written anew from its source.
	Keep string
	// TokenSecret is the name of the token Secret on the run cluster that the
	// kubeconfig in the Secret is made with; empty: none is recorded.
	TokenSecret string
	UID         types.UID // of the Secret that the state records, empty if it records none
	now         *unstructured.Unstructured
	ForCluster
}

// resource is what marks call it.
func (s KubeconfigSecret) resource() string {
	return "carvel_kubeconfig_secret " + s.Namespace + "/" + s.Name
}

func (s KubeconfigSecret) ref() cluster.Ref {
	return cluster.Ref{Resource: carvel.Secrets, Namespace: s.Namespace, Name: s.Name}
}

// object is the Secret as it is applied.
func (s KubeconfigSecret) object(kubeconfig kubeconfig.File) *unstructured.Unstructured {
	obj := carvel.KubeconfigSecret(s.KubeconfigSecretSpec, kubeconfig)
	if s.keepsToken() && s.TokenSecret != "" {
		annotations := obj.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[carvel.TokenSecretAnnotation] = s.TokenSecret
		obj.SetAnnotations(annotations)
	}
	return obj
}

// ErrKubeconfigChanged: the kubeconfig that was to be kept is not there.
var ErrKubeconfigChanged = errors.New("the kubeconfig in the Secret has changed")

// KubeconfigSecretReceipt says what is on the build cluster.
type KubeconfigSecretReceipt struct {
	Creation    string // that the Secret bears; empty: it was not written
	TakenBy     string // the resource that holds what was found now, "" for this one
	TokenSecret string // on the run cluster, that the Secret names; it may be empty
	UID         types.UID
	Server      string
	// Fingerprint tells one kubeconfig from another and does not tell what is
	// in it.
	Fingerprint         string
	Type                string
	Labels, Annotations map[string]string
	All                 carvel.Metadata // with the defaults
	Token               kubeconfig.Life // of a requested token that was just written, or rotated
	Rotated             bool            // the kubeconfig was written by a rotation
	Mutations           []Mutation      // of what was applied
	Failed              []FailedApp     // Apps that use the Secret and fail with what it holds now
}

// CheckNew tells what the adoption of a Secret changes.
func (ks *Kubeconfigs) CheckNew(ctx context.Context, s KubeconfigSecret) (Adoption, error) {
	build, err := ks.build()
	if err != nil {
		return Adoption{}, err
	}
	found, err := findAll(ctx, build, []cluster.Ref{s.ref()})
	if err != nil {
		return Adoption{}, err
	}
	return ks.adoption(found, []*unstructured.Unstructured{s.object(kubeconfig.File{})}, carvel.Mark{Owner: ks.Owner, Resource: s.resource()})
}

// Create makes the Secret. One that an interrupted creation of
// the same resource has made is gone on with.
func (ks *Kubeconfigs) Create(ctx context.Context, s KubeconfigSecret) (KubeconfigSecretReceipt, error) {
	build, err := ks.build()
	if err != nil {
		return KubeconfigSecretReceipt{}, err
	}
	mine := ks.mark(s.resource(), "")
	s.Creation = mine.Creation
	objects := []*unstructured.Unstructured{s.object(kubeconfig.File{})}
	if err := ks.refuseExisting(ctx, build, objects, mine, s.Hold); err != nil { // before a token is made
		return KubeconfigSecretReceipt{}, err
	}
	adopt, err := ks.adopt(ctx, build, s.ref().String(), objects, mine, s.ForCluster)
	if err != nil {
		return KubeconfigSecretReceipt{}, err
	}
	return ks.apply(ctx, build, s, mine, func(obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
		live, _, err := ks.establish(ctx, build, obj, mine, s.Manager, adopt)
		return live, err
	})
}

// Update writes the Secret as it is to be, and deletes a token
// that is not needed any more. Apps that have failed run again with another
// kubeconfig. A Secret that another resource has taken over is
// a *TakenOverError.
func (ks *Kubeconfigs) Update(ctx context.Context, before, s KubeconfigSecret) (KubeconfigSecretReceipt, error) {
	build, err := ks.build()
	if err != nil {
		return KubeconfigSecretReceipt{}, err
	}
	live, err := find(ctx, build, s.ref())
	if err != nil {
		return KubeconfigSecretReceipt{}, err
	}
	mine, theirs := ks.mark(s.resource(), s.Creation), carvel.MarkOf(live)
	if ks.lost(theirs, mine, s.Hold) {
		return KubeconfigSecretReceipt{}, &TakenOverError{Where: build.Name(), What: s.ref().String(), By: theirs}
	}
	s.Creation, mine.Adopted = mine.Creation, theirs.Adopted
	if before.keepsToken() {
		if before.TokenSecret == "" { // else the Secret may name another one already, by an update that was interrupted
			before.TokenSecret = before.tokenOf(live)
		}
		if s.keepsToken() && s.ServiceAccount.ref() == before.ServiceAccount.ref() {
			s.TokenSecret = before.tokenOf(live)
		}
	}
	if live != nil {
		s.now = live
	}
	if s.Keep != "" { // else the token is written with the kubeconfig
		if err := ks.relabelToken(ctx, s, live, mine); err != nil {
			return KubeconfigSecretReceipt{}, err
		}
	}
	r, err := ks.apply(ctx, build, s, mine, func(obj *unstructured.Unstructured) (*unstructured.Unstructured, error) {
		return build.Apply(ctx, s.ref(), mine.On(obj), s.Manager)
	})
	if err != nil {
		return r, err
	}
	if before.keepsToken() {
		kept := s.keepsToken() && s.RunCluster == before.RunCluster && s.ServiceAccount.Namespace == before.ServiceAccount.Namespace && r.TokenSecret == before.TokenSecret
		if !kept {
			err = ks.deleteToken(ctx, before)
		}
	}
	if s.Keep == "" {
		r.Failed = ks.apps.retryApps(ctx, build, s)
	}
	return r, err
}

// apply gets the kubeconfig and applies the Secret with it.
func (ks *Kubeconfigs) apply(ctx context.Context, build Cluster, s KubeconfigSecret, mine carvel.Mark,
	apply func(*unstructured.Unstructured) (*unstructured.Unstructured, error),
) (KubeconfigSecretReceipt, error) {
	source, err := ks.source(ctx, build, &s, mine)
	if err != nil {
		return KubeconfigSecretReceipt{}, ks.undoSource(ctx, s, source, err)
	}
	obj := s.object(source.File)
	s.Ignore.preserve(obj, s.now)
	live, err := apply(obj)
	if err != nil {
		return KubeconfigSecretReceipt{}, ks.undoSource(ctx, s, source, err)
	}
	r := s.receipt(live)
	r.Creation, r.Token = mine.Creation, source.life
	r.Mutations = mutations(obj, live, s.Manager)
	return r, nil
}

func (s KubeconfigSecret) receipt(live *unstructured.Unstructured) KubeconfigSecretReceipt {
	r := KubeconfigSecretReceipt{
		TokenSecret: live.GetAnnotations()[carvel.TokenSecretAnnotation],
		UID:         live.GetUID(),
		Type:        carvel.SecretType(live),
		Labels:      s.Ignore.pick("labels", live.GetLabels(), s.Labels),
		Annotations: s.Ignore.pick("annotations", live.GetAnnotations(), s.Annotations),
		All: carvel.Metadata{
			Labels:      s.Ignore.pick("labels", live.GetLabels(), s.All().Labels),
			Annotations: s.Ignore.pick("annotations", live.GetAnnotations(), s.All().Annotations),
		},
	}
	value, ok := carvel.SecretValue(live, s.Key)
	if !ok {
		return r
	}
	r.Fingerprint = Fingerprint(s.KubeconfigSecretSpec, value)
	if r.Rotated = live.GetAnnotations()[carvel.RotatedAnnotation] == r.Fingerprint; r.Rotated {
		r.Token = lifeIn(value)
	}
	if kubeconfig, err := kubeconfig.Portable(value); err == nil {
		r.Server = kubeconfig.Server // a damaged one has none, and another fingerprint
	}
	return r
}

// Read reads the Secret, ErrNotFound if it is missing. The
// fingerprint is empty when its key is missing.
func (ks *Kubeconfigs) Read(ctx context.Context, s KubeconfigSecret) (KubeconfigSecretReceipt, error) {
	var r KubeconfigSecretReceipt
	build, err := ks.build()
	if err != nil {
		return r, err
	}
	live, err := build.Get(ctx, cluster.Ref{Resource: carvel.Secrets, Namespace: s.Namespace, Name: s.Name})
	if errors.Is(err, cluster.ErrNotFound) {
		return r, ErrNotFound
	}
	if err != nil {
		return r, err
	}
	if s.isReplaced(live, s.UID) {
		return r, ErrNotFound
	}
	r = s.receipt(live)
	r.TakenBy = ks.takenBy(s.resource(), carvel.MarkOf(live), s.Hold)
	return r, nil
}

// InUseError: Apps still deploy with the Secret that was to be deleted.
type InUseError struct {
	Namespace, Name string
	Apps            []string
}

func (e *InUseError) Error() string {
	return fmt.Sprintf("Secret %s/%s is named by App %s", e.Namespace, e.Name, strings.Join(e.Apps, ", "))
}

// Delete deletes the token that was made for the Secret, and
// the Secret. It refuses with *InUseError while an App names it, since such an
// App could never be deleted. If the run cluster is not configured any more
// the Secret is deleted and the error is a *TokenLeftError. It returns what it
// has left, and why.
func (ks *Kubeconfigs) Delete(ctx context.Context, s KubeconfigSecret, uid types.UID) ([]Left, error) {
	build, err := ks.build()
	if err != nil {
		return nil, err
	}
	live, err := find(ctx, build, s.ref())
	if err != nil {
		return nil, err
	}
	if theirs := carvel.MarkOf(live); live != nil && ks.leaves(s.resource(), theirs, s.Hold) != "" {
		return []Left{ks.left(build.Name(), s.ref().String(), ks.leaves(s.resource(), theirs, s.Hold), theirs)}, nil
	}
	if err := s.refuseInUse(ctx, build); err != nil {
		return nil, err
	}
	// The token goes first: without the Secret, nothing would remember it.
	var left error
	if s.keepsToken() {
		left = ks.deleteTokens(ctx, s, live)
	}
	var missing *MissingPartError
	if left != nil && !errors.As(left, &missing) {
		return nil, left
	}
	for err := cluster.ErrChanged; errors.Is(err, cluster.ErrChanged); {
		if live, err = find(ctx, build, s.ref()); err != nil || live == nil || uid != "" && live.GetUID() != uid {
			return nil, errors.Join(err, left)
		}
		theirs := carvel.MarkOf(live)
		if reason := ks.leaves(s.resource(), theirs, s.Hold); reason != "" {
			return []Left{ks.left(build.Name(), s.ref().String(), reason, theirs)}, left
		}
		if err = build.Delete(ctx, s.ref(), live); err != nil && !errors.Is(err, cluster.ErrChanged) {
			return nil, err
		}
	}
	return nil, left
}

// deleteTokens deletes the token Secrets that the Secret may have been made
// with: the one that the state records, the one that the Secret names, and those
// that an interrupted run, or an interrupted rotation, may have made.
func (ks *Kubeconfigs) deleteTokens(ctx context.Context, s KubeconfigSecret, live *unstructured.Unstructured) error {
	made, err := ks.leftTokens(ctx, s)
	if err != nil {
		return err
	}
	names := slices.Concat(made, []string{s.TokenSecret, s.tokenOf(live)})
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if s.TokenSecret = name; name == "" {
			continue
		}
		if err := ks.deleteToken(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// leftTokens are the names of token Secrets that were made for a kubeconfig, whatever its
// Secret names.
func (ks *Kubeconfigs) leftTokens(ctx context.Context, s KubeconfigSecret) ([]string, error) {
	c, err := ks.run(s.RunCluster)
	if err != nil {
		return nil, nil //nolint:nilerr // deleteToken tells
	}
	made, err := ks.madeTokens(ctx, c, s, carvel.Mark{Owner: ks.Owner, Resource: s.resource(), Creation: s.Creation})
	if apierrors.IsForbidden(err) {
		begin, err := ks.tokenNames(s)
		return []string{begin}, err
	}
	return made, err
}

// refuseInUse is an *InUseError if Apps name the Secret.
func (s KubeconfigSecret) refuseInUse(ctx context.Context, build Cluster) error {
	apps, err := build.List(ctx, carvel.Apps, s.Namespace)
	var notServed *cluster.NotServedError
	if err != nil && !errors.As(err, &notServed) {
		return err
	}
	inUse := &InUseError{Namespace: s.Namespace, Name: s.Name}
	for _, app := range apps {
		name, _, err := unstructured.NestedString(app.Object, "spec", "cluster", "kubeconfigSecretRef", "name")
		if err == nil && name == s.Name {
			inUse.Apps = append(inUse.Apps, app.GetName())
		}
	}
	if len(inUse.Apps) > 0 {
		return inUse
	}
	return nil
}
