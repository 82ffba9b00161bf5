package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
)

// inventory is what a cluster holds, as sorted lines.
type inventory []string

func (i inventory) without(other inventory) []string {
	return slices.DeleteFunc(slices.Clone([]string(i)), func(line string) bool {
		_, found := slices.BinarySearch(other, line)
		return found
	})
}

func (d *demonstration) inventories(ctx context.Context) ([]inventory, error) {
	var all []inventory
	for _, cluster := range d.lab.Clusters() {
		held, err := takeInventory(ctx, cluster)
		if err != nil {
			return nil, fmt.Errorf("cluster %s: %w", cluster.Name, err)
		}
		all = append(all, held)
	}
	return all, nil
}

// takeInventory lists the objects of every kind, but for those that a cluster
// makes and removes for itself.
func takeInventory(ctx context.Context, cluster lab.Cluster) (inventory, error) {
	config, err := administrator(cluster)
	if err != nil {
		return nil, err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	groups, err := servedKinds(ctx, config)
	if err != nil {
		return nil, err
	}
	var held inventory
	for _, group := range groups {
		version, err := schema.ParseGroupVersion(group.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, kind := range group.APIResources {
			if !slices.Contains(kind.Verbs, "list") || strings.Contains(kind.Name, "/") || ownAffair(version.Group, kind.Name) {
				continue
			}
			list, err := client.Resource(version.WithResource(kind.Name)).List(ctx, metav1.ListOptions{})
			if err != nil {
				return nil, err
			}
			for _, object := range list.Items {
				if !strings.HasPrefix(object.GetNamespace(), "kube-") {
					held = append(held, strings.Join([]string{kind.Kind, object.GetNamespace(), object.GetName()}, " "))
				}
			}
		}
	}
	slices.Sort(held)
	return held, nil
}

func ownAffair(group, resource string) bool {
	return resource == "events" || group == "coordination.k8s.io" || group == "flowcontrol.apiserver.k8s.io"
}

// servedKinds asks a cluster for the kinds of every group, in the version that
// the group prefers.
func servedKinds(ctx context.Context, config *rest.Config) ([]metav1.APIResourceList, error) {
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	get := func(path string, into any) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, config.Host+path, http.NoBody)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("GET %s: %s", path, response.Status)
		}
		return json.NewDecoder(response.Body).Decode(into)
	}
	kinds := make([]metav1.APIResourceList, 1)
	if err := get("/api/v1", &kinds[0]); err != nil {
		return nil, err
	}
	var groups metav1.APIGroupList
	if err := get("/apis", &groups); err != nil {
		return nil, err
	}
	for _, group := range groups.Groups {
		var served metav1.APIResourceList
		if err := get("/apis/"+group.PreferredVersion.GroupVersion, &served); err != nil {
			return nil, err
		}
		kinds = append(kinds, served)
	}
	return kinds, nil
}
