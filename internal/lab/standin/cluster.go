package standin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// cluster is a connection with one identity.
type cluster struct {
	dynamic dynamic.Interface
	client  *http.Client
	base    string

	mu    sync.Mutex
	kinds map[schema.GroupVersion]map[string]resource
}

// resource is where a kind is served.
type resource struct {
	schema.GroupVersionResource
	namespaced bool
}

// newCluster makes no request.
func newCluster(config *rest.Config) (*cluster, error) {
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = 200, 400
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	dyn, err := dynamic.NewForConfigAndClient(config, client)
	if err != nil {
		return nil, err
	}
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, err
	}
	return &cluster{
		dynamic: dyn, client: client, base: strings.TrimSuffix(base.String(), "/"),
		kinds: map[schema.GroupVersion]map[string]resource{},
	}, nil
}

func (c *cluster) close() { c.client.CloseIdleConnections() }

// resourceFor asks the API server where a kind is served, once per group and version.
// The second result is false if it does not serve the kind.
func (c *cluster) resourceFor(ctx context.Context, gvk schema.GroupVersionKind) (resource, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	gv := gvk.GroupVersion()
	if _, known := c.kinds[gv]; !known {
		kinds, err := c.discover(ctx, gv)
		if err != nil {
			return resource{}, false, err
		}
		c.kinds[gv] = kinds
	}
	r, ok := c.kinds[gv][gvk.Kind]
	return r, ok, nil
}

func (c *cluster) discover(ctx context.Context, gv schema.GroupVersion) (map[string]resource, error) {
	path := "/apis/" + gv.String()
	if gv.Group == "" {
		path = "/api/" + gv.Version
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return nil, err
	}
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil, nil
	default:
		var status metav1.Status
		if json.Unmarshal(body, &status) == nil && status.Message != "" {
			return nil, fmt.Errorf("%s", status.Message)
		}
		return nil, fmt.Errorf("%s", resp.Status)
	}
	var list metav1.APIResourceList
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, err
	}
	kinds := map[string]resource{}
	for _, r := range list.APIResources {
		if !strings.Contains(r.Name, "/") {
			kinds[r.Kind] = resource{gv.WithResource(r.Name), r.Namespaced}
		}
	}
	return kinds, nil
}

// in returns the client for a resource in a namespace, which only a namespaced one uses.
func (c *cluster) in(r resource, namespace string) dynamic.ResourceInterface {
	if r.namespaced {
		return c.dynamic.Resource(r.GroupVersionResource).Namespace(namespace)
	}
	return c.dynamic.Resource(r.GroupVersionResource)
}
