package delivery

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
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
	ForCluster
}

// ServiceAccount is an account on the run cluster to make a kubeconfig for.
type ServiceAccount struct {
	Namespace, Name string
	Server          string // "": as the provider reaches the run cluster
}

// KubeconfigSecretReceipt says what is on the build cluster.
type KubeconfigSecretReceipt struct {
	UID    types.UID // empty: it was not created
	Server string
	// Fingerprint tells one kubeconfig from another and does not tell what is
	// in it.
	Fingerprint         string
	Labels, Annotations map[string]string
}

// fingerprintRounds makes guessing a short password from a fingerprint slow:
// about 20 ms a guess.
const fingerprintRounds = 100_000

// Fingerprint of a kubeconfig in a Secret.
func Fingerprint(s carvel.KubeconfigSecretSpec, kubeconfig []byte) string {
	salt := []byte("carvel_kubeconfig_secret " + s.Namespace + "/" + s.Name)
	key, err := pbkdf2.Key(sha256.New, string(kubeconfig), salt, fingerprintRounds, 16)
	if err != nil {
		panic(err) // only for parameters that FIPS mode refuses
	}
	return hex.EncodeToString(key)
}

// PrepareKubeconfig gives the kubeconfig that the Secret is to hold. For a
// ServiceAccount it makes the token Secret on the run cluster, or reads it.
func (d *Delivery) PrepareKubeconfig(ctx context.Context, s KubeconfigSecret) (carvel.Kubeconfig, error) {
	if s.ServiceAccount == nil {
		return carvel.PortableKubeconfig(s.Kubeconfig)
	}
	c, endpoint, err := d.runEndpoint(s)
	if err != nil {
		return carvel.Kubeconfig{}, err
	}
	account := cluster.Ref{Resource: carvel.ServiceAccounts, Namespace: s.ServiceAccount.Namespace, Name: s.ServiceAccount.Name}
	if _, err := c.Get(ctx, account); err != nil {
		return carvel.Kubeconfig{}, err // the token Secret of a missing account is deleted at once
	}
	secret := s.tokenSecret()
	if _, err := c.Apply(ctx, refOf(secret), secret, s.Manager); err != nil {
		return carvel.Kubeconfig{}, err
	}
	var token []byte
	err = c.Wait(ctx, refOf(secret), func(obj *unstructured.Unstructured) (bool, error) {
		if obj == nil {
			return false, fmt.Errorf("the token Secret %s/%s was deleted while it was being filled", secret.GetNamespace(), secret.GetName())
		}
		var ok bool
		token, ok = carvel.SecretValue(obj, "token")
		return ok && len(token) > 0, nil
	})
	if err != nil {
		return carvel.Kubeconfig{}, err
	}
	return s.serviceAccountKubeconfig(endpoint, token)
}

// runEndpoint is the run cluster of a ServiceAccount, and where the kubeconfig
// is to say that it is.
func (d *Delivery) runEndpoint(s KubeconfigSecret) (*cluster.Cluster, cluster.Endpoint, error) {
	c, err := d.run(s.RunCluster)
	if err != nil {
		return nil, cluster.Endpoint{}, err
	}
	endpoint, err := c.Endpoint()
	if s.ServiceAccount.Server != "" {
		endpoint.Server = s.ServiceAccount.Server
	}
	return c, endpoint, err
}

func (s KubeconfigSecret) tokenSecret() *unstructured.Unstructured {
	return carvel.TokenSecret(s.ServiceAccount.Namespace, s.ServiceAccount.Name, s.Namespace+"/"+s.Name)
}

func (s KubeconfigSecret) serviceAccountKubeconfig(e cluster.Endpoint, token []byte) (carvel.Kubeconfig, error) {
	return carvel.ServiceAccountKubeconfig(s.RunCluster, e.Server, e.CA, s.ServiceAccount.Namespace, s.ServiceAccount.Name, string(token))
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
	if err != nil || before.ServiceAccount == nil {
		return r, err
	}
	if s.ServiceAccount != nil && refOf(s.tokenSecret()) == refOf(before.tokenSecret()) {
		return r, nil
	}
	return r, d.deleteToken(ctx, before)
}

func (d *Delivery) deleteToken(ctx context.Context, s KubeconfigSecret) error {
	c, err := d.run(s.RunCluster)
	if err != nil {
		return err
	}
	return c.Delete(ctx, refOf(s.tokenSecret()), "")
}

func (d *Delivery) applyKubeconfigSecret(ctx context.Context, build *cluster.Cluster, s KubeconfigSecret) (KubeconfigSecretReceipt, error) {
	kubeconfig, err := d.PrepareKubeconfig(ctx, s)
	if err != nil {
		return KubeconfigSecretReceipt{}, err
	}
	obj := carvel.KubeconfigSecret(s.KubeconfigSecretSpec, kubeconfig)
	live, err := build.Apply(ctx, refOf(obj), obj, s.Manager)
	if err != nil {
		return KubeconfigSecretReceipt{}, err
	}
	return s.receipt(live), nil
}

func (s KubeconfigSecret) receipt(live *unstructured.Unstructured) KubeconfigSecretReceipt {
	r := KubeconfigSecretReceipt{
		UID:         live.GetUID(),
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

// WantedFingerprint is that of the kubeconfig which the Secret should hold now,
// empty where a new token is needed to tell.
func (d *Delivery) WantedFingerprint(ctx context.Context, s KubeconfigSecret) (string, error) {
	if s.ServiceAccount == nil {
		kubeconfig, err := carvel.PortableKubeconfig(s.Kubeconfig)
		if err != nil {
			return "", err
		}
		return Fingerprint(s.KubeconfigSecretSpec, kubeconfig.YAML), nil
	}
	c, endpoint, err := d.runEndpoint(s)
	if err != nil {
		return "", err
	}
	secret, err := c.Get(ctx, refOf(s.tokenSecret()))
	if errors.Is(err, cluster.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	token, ok := carvel.SecretValue(secret, "token")
	if !ok {
		return "", nil
	}
	kubeconfig, err := s.serviceAccountKubeconfig(endpoint, token)
	if err != nil {
		return "", err
	}
	return Fingerprint(s.KubeconfigSecretSpec, kubeconfig.YAML), nil
}

// InUseError: Apps still deploy with the Secret that was to be deleted.
type InUseError struct {
	Namespace, Name string
	Apps            []string
}

func (e *InUseError) Error() string {
	return fmt.Sprintf("Secret %s/%s is named by App %s", e.Namespace, e.Name, strings.Join(e.Apps, ", "))
}

// DeleteKubeconfigSecret deletes the Secret, and the token that was made for
// it. It refuses with *InUseError while an App names it, since such an App
// could never be deleted.
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
	ref := cluster.Ref{Resource: carvel.Secrets, Namespace: s.Namespace, Name: s.Name}
	if err := build.Delete(ctx, ref, uid); err != nil && !errors.Is(err, cluster.ErrReplaced) {
		return err
	}
	if s.ServiceAccount == nil {
		return nil
	}
	return d.deleteToken(ctx, s)
}
