package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
)

// Find works out the spec of a namespace that is to be imported:
// the ServiceAccount from the RoleBinding, the rest from what is there.
// ErrNotFound if there is no such namespace.
// It returns the id of the creation that made it, "" if none is known.
func (ns *Namespaces) Find(ctx context.Context, clusterName, namespace string) (spec carvel.RunNamespaceSpec, creation string, err error) {
	spec = carvel.RunNamespaceSpec{Name: namespace, ServiceAccountName: carvel.DefaultServiceAccount(namespace)}
	c, err := ns.run(clusterName)
	if err != nil {
		return spec, creation, err
	}
	live, err := find(ctx, c, cluster.Ref{Resource: carvel.Namespaces, Name: namespace})
	if err != nil {
		return spec, creation, err
	}
	if live == nil {
		return spec, "", ErrNotFound
	}
	creation = carvel.MarkOf(live).Creation
	spec.Labels, spec.Annotations = ns.ownedMetadata(live)
	spec.Existing = live.GetLabels()[carvel.ManagedByLabel] != carvel.ManagedBy
	binding, err := find(ctx, c, cluster.Ref{Resource: carvel.RoleBindings, Namespace: namespace, Name: carvel.InstallRoleName})
	if err != nil {
		return spec, creation, err
	}
	bound := carvel.BoundServiceAccount(binding)
	if bound == "" {
		if bound, err = boundByHand(ctx, c, namespace); err != nil {
			return spec, creation, err
		}
	}
	if bound != "" {
		spec.ServiceAccountName = bound
	}
	role, err := find(ctx, c, cluster.Ref{Resource: carvel.Roles, Namespace: namespace, Name: carvel.AppRoleName})
	if err != nil {
		return spec, creation, err
	}
	spec.TanzuApplicationPlatform = bound != "" && role == nil
	account, err := find(ctx, c, cluster.Ref{Resource: carvel.ServiceAccounts, Namespace: namespace, Name: spec.ServiceAccountName})
	if err != nil {
		return spec, creation, err
	}
	if spec.Existing && account != nil {
		creation = carvel.MarkOf(account).Creation
		spec.Labels, spec.Annotations = ns.ownedMetadata(account)
	}
	spec.ImagePullSecrets = carvel.ImagePullSecrets(account)
	additional, err := find(ctx, c, cluster.Ref{Resource: carvel.Roles, Namespace: namespace, Name: carvel.AdditionalRoleName})
	if err != nil {
		return spec, creation, err
	}
	if spec.AdditionalRules, err = carvel.RoleRules(additional); err != nil {
		return spec, creation, err
	}
	policy, err := find(ctx, c, cluster.Ref{Resource: carvel.AdmissionPolicies, Name: carvel.ServiceAccountPolicyName(namespace, spec.ServiceAccountName)})
	var notServed *cluster.NotServedError
	if err != nil && !apierrors.IsForbidden(err) && !errors.As(err, &notServed) {
		return spec, creation, err
	}
	spec.AllowedServiceAccounts, spec.Restricted = carvel.AllowedServiceAccounts(policy, spec.ServiceAccountName)
	return spec, creation, nil
}

// boundByHand is the ServiceAccount of a namespace that a RoleBinding of any name gives the
// Role to install packages; "" if there is none, or none that can be told.
func boundByHand(ctx context.Context, c Cluster, namespace string) (string, error) {
	bindings, err := c.List(ctx, carvel.RoleBindings, namespace)
	if apierrors.IsForbidden(err) {
		return "", nil // it may read the one of the provider's own name, which is not there
	}
	for i := range bindings {
		kind, _, _ := unstructured.NestedString(bindings[i].Object, "roleRef", "kind")
		name, _, _ := unstructured.NestedString(bindings[i].Object, "roleRef", "name")
		if account := carvel.BoundServiceAccount(&bindings[i]); kind == "Role" && name == carvel.InstallRoleName && account != "" {
			return account, nil
		}
	}
	return "", err
}

// On are the namespaces of a run cluster that packages are delivered to: those that have
// the Role to install packages, whoever has made it.
func (ns *Namespaces) On(ctx context.Context, clusterName string) ([]string, error) {
	c, err := ns.run(clusterName)
	if err != nil {
		return nil, err
	}
	roles, _, err := c.ListWhere(ctx, carvel.Roles, "", "metadata.name="+carvel.InstallRoleName)
	var names []string
	for i := range roles {
		names = append(names, roles[i].GetNamespace())
	}
	slices.Sort(names)
	return names, err
}

// find is nil for an object that is not there.
func find(ctx context.Context, c Cluster, ref cluster.Ref) (*unstructured.Unstructured, error) {
	obj, err := c.Get(ctx, ref)
	if errors.Is(err, cluster.ErrNotFound) {
		return nil, nil
	}
	return obj, err
}

// findAll reads objects at the same time, each once. One that is not there is
// left out.
func findAll(ctx context.Context, c Cluster, refs []cluster.Ref) (map[cluster.Ref]*unstructured.Unstructured, error) {
	found := map[cluster.Ref]*unstructured.Unstructured{}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	refs = slices.SortedFunc(slices.Values(refs), func(a, b cluster.Ref) int { return strings.Compare(a.String(), b.String()) })
	for _, ref := range slices.Compact(refs) {
		group.Go(func() error {
			live, err := find(ctx, c, ref)
			if live != nil {
				mu.Lock()
				defer mu.Unlock()
				found[ref] = live
			}
			return err
		})
	}
	return found, group.Wait()
}

// ownedMetadata are the labels and annotations that the provider has applied
// for the practitioner, without its defaults.
func (o *ownership) ownedMetadata(live *unstructured.Unstructured) (labels, annotations map[string]string) {
	labels, annotations = cluster.OwnedMetadata(live, carvel.ManagedBy)
	if labels[carvel.ManagedByLabel] == carvel.ManagedBy {
		delete(labels, carvel.ManagedByLabel)
	}
	delete(annotations, carvel.MarkAnnotation)
	delete(annotations, carvel.TokenSecretAnnotation)
	delete(annotations, carvel.RotatedAnnotation)
	own := carvel.Metadata{Labels: labels, Annotations: annotations}.Without(o.Defaults)
	labels, annotations = own.Labels, own.Annotations
	if len(labels) == 0 {
		labels = nil
	}
	if len(annotations) == 0 {
		annotations = nil
	}
	return labels, annotations
}

// Find works out the spec of a Secret that is to be imported.
// The run cluster is the name of the kubeconfig's cluster, or what the Secret's
// name begins with; a kubeconfig that was made for a ServiceAccount is known by
// its token Secret on the run cluster, or by the life of a requested token.
func (ks *Kubeconfigs) Find(ctx context.Context, namespace, name string) (KubeconfigSecret, KubeconfigSecretReceipt, error) {
	s := KubeconfigSecret{KubeconfigSecretSpec: carvel.KubeconfigSecretSpec{Namespace: namespace, Name: name}}
	var r KubeconfigSecretReceipt
	build, err := ks.build()
	if err != nil {
		return s, r, err
	}
	live, err := find(ctx, build, cluster.Ref{Resource: carvel.Secrets, Namespace: namespace, Name: name})
	if err != nil {
		return s, r, err
	}
	if live == nil {
		return s, r, ErrNotFound
	}
	return ks.found(ctx, live)
}

// found works out the spec of a Secret.
func (ks *Kubeconfigs) found(ctx context.Context, live *unstructured.Unstructured) (KubeconfigSecret, KubeconfigSecretReceipt, error) {
	s := KubeconfigSecret{KubeconfigSecretSpec: carvel.KubeconfigSecretSpec{Namespace: live.GetNamespace(), Name: live.GetName()}}
	s.Type = carvel.SecretType(live)
	s.Labels, s.Annotations = ks.ownedMetadata(live)
	s.RunCluster = strings.TrimSuffix(s.Name, carvel.DefaultKubeconfigSecretName(""))
	s.Key = carvel.OnlyKey(live)
	r := s.receipt(live)
	r.Creation = carvel.MarkOf(live).Creation
	value, _ := carvel.SecretValue(live, s.Key)
	current, err := kubeconfig.CurrentContext(value)
	if err != nil {
		return s, r, err
	}
	c, configured := ks.Run[current.Cluster]
	if !configured {
		return s, r, nil
	}
	s.RunCluster = current.Cluster
	s.ServiceAccount, r.Token, err = findServiceAccount(ctx, c, s.KubeconfigSecretSpec, live, current)
	return s, r, err
}

// FoundKubeconfig is a Secret with a kubeconfig.
type FoundKubeconfig struct {
	KubeconfigSecret
	Receipt KubeconfigSecretReceipt
}

// InNamespace are the Secrets of a namespace on the build cluster with a kubeconfig in
// them. A Secret that is none is passed over.
func (ks *Kubeconfigs) InNamespace(ctx context.Context, namespace string) ([]FoundKubeconfig, error) {
	build, err := ks.build()
	if err != nil {
		return nil, err
	}
	secrets, err := build.List(ctx, carvel.Secrets, namespace)
	if err != nil {
		return nil, err
	}
	var all []FoundKubeconfig
	for i := range secrets {
		live := &secrets[i]
		value, ok := carvel.SecretValue(live, carvel.OnlyKey(live))
		if _, err := kubeconfig.CurrentContext(value); !ok || err != nil {
			continue
		}
		s, r, err := ks.found(ctx, live)
		if err != nil {
			return nil, fmt.Errorf("read Secret %s/%s: %w", namespace, live.GetName(), err)
		}
		all = append(all, FoundKubeconfig{KubeconfigSecret: s, Receipt: r})
	}
	return all, nil
}

// findServiceAccount is nil for a kubeconfig that was not made for a
// ServiceAccount.
func findServiceAccount(ctx context.Context, c Cluster, spec carvel.KubeconfigSecretSpec, live *unstructured.Unstructured, current kubeconfig.Context) (*ServiceAccount, kubeconfig.Life, error) {
	account := &ServiceAccount{Namespace: current.Namespace, Name: current.User}
	claims, ok := kubeconfig.ReadClaims(current.Token)
	if ok && claims.Namespace == account.Namespace && claims.ServiceAccount == account.Name && !claims.Expires.IsZero() {
		account.TokenSeconds = int64(claims.Expires.Sub(claims.Issued).Seconds())
		return account, claims.Life, nil
	}
	made := KubeconfigSecret{KubeconfigSecretSpec: spec, ServiceAccount: account}
	made.TokenSecret = made.tokenOf(live)
	token, err := find(ctx, c, refOf(made.tokenSecret()))
	if token == nil {
		account = nil
	}
	return account, kubeconfig.Life{}, err
}

// Find reads the spec of an App that is to be imported, and the id of the
// creation that made it, "" if none is known.
func (as *Apps) Find(ctx context.Context, namespace, name string) (spec carvel.AppSpec, creation string, err error) {
	build, err := as.build()
	if err != nil {
		return spec, "", err
	}
	live, err := find(ctx, build, cluster.Ref{Resource: carvel.Apps, Namespace: namespace, Name: name})
	if err != nil {
		return spec, "", err
	}
	if live == nil {
		return spec, "", ErrNotFound
	}
	return as.found(live)
}

func (as *Apps) found(live *unstructured.Unstructured) (spec carvel.AppSpec, creation string, err error) {
	spec, err = carvel.ReadApp(live)
	spec.Labels, spec.Annotations = as.ownedMetadata(live)
	return spec, carvel.MarkOf(live).Creation, err
}

// InNamespace are the Apps of a namespace on the build cluster, of all if it is "", but for
// those that a PackageInstall has made.
func (as *Apps) InNamespace(ctx context.Context, namespace string) ([]carvel.AppSpec, error) {
	build, err := as.build()
	if err != nil {
		return nil, err
	}
	apps, err := build.List(ctx, carvel.Apps, namespace)
	if err != nil {
		return nil, err
	}
	var all []carvel.AppSpec
	for i := range apps {
		if len(apps[i].GetOwnerReferences()) > 0 {
			continue
		}
		spec, _, err := as.found(&apps[i])
		if err != nil {
			return nil, fmt.Errorf("read App %s/%s: %w", apps[i].GetNamespace(), apps[i].GetName(), err)
		}
		all = append(all, spec)
	}
	return all, nil
}

func refsOf(objects []*unstructured.Unstructured) []cluster.Ref {
	refs := make([]cluster.Ref, len(objects))
	for i, obj := range objects {
		refs[i] = refOf(obj)
	}
	return refs
}
