package standin

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// target is where an App deploys to, and as whom.
type target struct {
	config *rest.Config
	// recordNs holds kapp's record of the App, defaultNs the objects that name no
	// namespace.
	recordNs, defaultNs string
}

func isGone(err error) bool { return apierrors.IsNotFound(err) }

// target resolves the App's ServiceAccount or kubeconfig Secret. Its errors are the
// controller's texts, without what leads them.
func (r *appRun) target(ctx context.Context) (target, error) {
	switch {
	case r.spec.ServiceAccountName != "":
		return r.accountTarget(ctx)
	case r.spec.Cluster != nil:
		return r.kubeconfigTarget(ctx)
	}
	return target{}, said("Expected service account or cluster specified")
}

// accountTarget is this cluster, with a token of two hours for the ServiceAccount.
func (r *appRun) accountTarget(ctx context.Context) (target, error) {
	accounts := r.c.home.dynamic.Resource(accountsGVR).Namespace(r.key.namespace)
	name := r.spec.ServiceAccountName
	if _, err := accounts.Get(ctx, name, metav1.GetOptions{}); err != nil {
		return target{}, said("Getting service account: %w", err)
	}
	request := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
		"metadata": map[string]any{"name": name, "namespace": r.key.namespace},
		"spec":     map[string]any{"expirationSeconds": int64(7200)},
	}}
	answer, err := accounts.Create(ctx, request, metav1.CreateOptions{}, "token")
	if err != nil {
		return target{}, said("Getting service account: %w", err)
	}
	token, _, _ := unstructured.NestedString(answer.Object, "status", "token")
	config := rest.AnonymousClientConfig(r.c.config)
	config.BearerToken = token
	t := target{config: config, recordNs: r.key.namespace, defaultNs: r.key.namespace}
	if r.spec.DefaultNamespace != "" {
		t.defaultNs = r.spec.DefaultNamespace
	}
	return t, nil
}

// kubeconfigTarget is the cluster of the Secret's kubeconfig, as restricted keeps it.
func (r *appRun) kubeconfigTarget(ctx context.Context) (target, error) {
	ref := r.spec.Cluster.KubeconfigSecretRef
	if ref == nil {
		return target{}, said("Expected kubeconfig secret reference to be specified")
	}
	data, err := r.c.keyedData(ctx, secretsGVR.Resource, key{r.key.namespace, ref.Name})
	if err != nil {
		return target{}, said("Getting kubeconfig secret: %w", err)
	}
	name := ref.Key
	if name == "" {
		name = "value"
	}
	content, ok := data[name]
	if !ok {
		return target{}, said("Expected to find key '%s' in secret (keys: %s)",
			name, strings.Join(slices.Sorted(maps.Keys(data)), ", "))
	}
	kubeconfig, err := restricted([]byte(content))
	if err != nil {
		return target{}, said("Parsing kubeconfig: %w", err)
	}
	loaded := clientcmd.NewDefaultClientConfig(*kubeconfig, &clientcmd.ConfigOverrides{})
	config, err := loaded.ClientConfig()
	if err != nil {
		return target{}, said("Building config from kubeconfig: %w", err)
	}
	inContext, _, err := loaded.Namespace()
	if err != nil {
		return target{}, err
	}
	t := target{config: config, recordNs: r.spec.Cluster.Namespace, defaultNs: r.spec.DefaultNamespace}
	if t.recordNs == "" {
		t.recordNs = inContext
	}
	if t.defaultNs == "" {
		t.defaultNs = t.recordNs
	}
	return t, nil
}

// keyedData reads the entries of a Secret or ConfigMap of the stand-in's own cluster.
func (c *controller) keyedData(ctx context.Context, resource string, k key) (map[string]string, error) {
	gvr := secretsGVR
	gvr.Resource = resource
	u, err := c.home.dynamic.Resource(gvr).Namespace(k.namespace).Get(ctx, k.name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	data, _, err := unstructured.NestedStringMap(u.Object, "data")
	if err != nil {
		return nil, err
	}
	result := map[string]string{}
	for name, value := range data {
		if resource == secretsGVR.Resource {
			raw, err := base64.StdEncoding.DecodeString(value)
			if err != nil {
				return nil, fmt.Errorf("key %q is not base64", name)
			}
			value = string(raw)
		}
		result[name] = value
	}
	return result, nil
}
