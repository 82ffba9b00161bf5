package delivery

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

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
	ForCluster
}

// ErrKubeconfigChanged: the kubeconfig that was to be kept is not there.
var ErrKubeconfigChanged = errors.New("the kubeconfig in the Secret has changed")

// KubeconfigSecretReceipt says what is on the build cluster.
type KubeconfigSecretReceipt struct {
	UID    types.UID // empty: it was not created
	Server string
	// Fingerprint tells one kubeconfig from another and does not tell what is
	// in it.
	Fingerprint         string
	Type                string
	Labels, Annotations map[string]string
	Token               carvel.Life // of a requested token that was just written
}

// CreateKubeconfigSecret makes the Secret.
func (d *Delivery) CreateKubeconfigSecret(ctx context.Context, s KubeconfigSecret) (KubeconfigSecretReceipt, error) {
	build, err := d.build()
	if err != nil {
		return KubeconfigSecretReceipt{}, err
	}
	if !s.Adopt {
		ref := cluster.Ref{Resource: carvel.Secrets, Namespace: s.Namespace, Name: s.Name}
		if err := refuseExisting(ctx, build, ref); err != nil {
			return KubeconfigSecretReceipt{}, err
		}
	}
	return d.applyKubeconfigSecret(ctx, build, s)
}

// UpdateKubeconfigSecret writes the Secret as it is to be, and deletes a token
// that is not needed any more.
func (d *Delivery) UpdateKubeconfigSecret(ctx context.Context, before, s KubeconfigSecret) (KubeconfigSecretReceipt, error) {
	build, err := d.build()
	if err != nil {
		return KubeconfigSecretReceipt{}, err
	}
	r, err := d.applyKubeconfigSecret(ctx, build, s)
	if err != nil || !before.keepsToken() {
		return r, err
	}
	if s.keepsToken() && refOf(s.tokenSecret()) == refOf(before.tokenSecret()) {
		return r, nil
	}
	return r, d.deleteToken(ctx, before)
}

func (d *Delivery) applyKubeconfigSecret(ctx context.Context, build *cluster.Cluster, s KubeconfigSecret) (KubeconfigSecretReceipt, error) {
	source, err := d.kubeconfigSource(ctx, build, s)
	if err != nil {
		return KubeconfigSecretReceipt{}, d.undoSource(ctx, s, source, err)
	}
	obj := carvel.KubeconfigSecret(s.KubeconfigSecretSpec, source.Kubeconfig)
	live, err := build.Apply(ctx, refOf(obj), obj, s.Manager)
	if err != nil {
		return KubeconfigSecretReceipt{}, d.undoSource(ctx, s, source, err)
	}
	r := s.receipt(live)
	r.Token = source.life
	return r, nil
}

func (s KubeconfigSecret) receipt(live *unstructured.Unstructured) KubeconfigSecretReceipt {
	r := KubeconfigSecretReceipt{
		UID:         live.GetUID(),
		Type:        carvel.SecretType(live),
		Labels:      pick(live.GetLabels(), s.Labels),
		Annotations: pick(live.GetAnnotations(), s.Annotations),
	}
	value, ok := carvel.SecretValue(live, s.Key)
	if !ok {
		return r
	}
	r.Fingerprint = Fingerprint(s.KubeconfigSecretSpec, value)
	if kubeconfig, err := carvel.PortableKubeconfig(value); err == nil {
		r.Server = kubeconfig.Server // a damaged one has none, and another fingerprint
	}
	return r
}

// ReadKubeconfigSecret reads the Secret, ErrNotFound where it is missing. The
// fingerprint is empty when its key is missing.
func (d *Delivery) ReadKubeconfigSecret(ctx context.Context, s KubeconfigSecret) (KubeconfigSecretReceipt, error) {
	var r KubeconfigSecretReceipt
	build, err := d.build()
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
	return s.receipt(live), nil
}

// InUseError: Apps still deploy with the Secret that was to be deleted.
type InUseError struct {
	Namespace, Name string
	Apps            []string
}

func (e *InUseError) Error() string {
	return fmt.Sprintf("Secret %s/%s is named by App %s", e.Namespace, e.Name, strings.Join(e.Apps, ", "))
}

// DeleteKubeconfigSecret deletes the token that was made for the Secret, and
// the Secret. It refuses with *InUseError while an App names it, since such an
// App could never be deleted. Where the run cluster is not configured any more
// the Secret is deleted and the error is a *TokenLeftError.
func (d *Delivery) DeleteKubeconfigSecret(ctx context.Context, s KubeconfigSecret, uid types.UID) error {
	build, err := d.build()
	if err != nil {
		return err
	}
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
	// The token goes first: without the Secret, nothing would remember it.
	var left error
	if s.keepsToken() {
		left = d.deleteToken(ctx, s)
	}
	var missing *MissingPartError
	if left != nil && !errors.As(left, &missing) {
		return left
	}
	ref := cluster.Ref{Resource: carvel.Secrets, Namespace: s.Namespace, Name: s.Name}
	if err := build.Delete(ctx, ref, uid); err != nil && !errors.Is(err, cluster.ErrReplaced) {
		return err
	}
	return left
}
