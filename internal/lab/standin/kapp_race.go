package standin

import (
	"context"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// annotationRace on a PackageInstall loses it the race that Options.FirstDeployRace says,
// for this one alone.
const annotationRace = "stand-in.lab/first-deploy-race"

// raceLimit bounds the wait for a PackageInstall to miss its Package.
const raceLimit = 10 * time.Second

// race moves each PackageInstall that is created together with the first of its Packages
// before them, if that is asked for. The changes are in the order of planChanges.
func (k *kapp) race(changes []*change) []*change {
	created, there := map[string]bool{}, map[string]bool{}
	for _, c := range changes {
		if u := c.object(); rank(u) == rankPackages {
			if c.op == "create" {
				created[packageName(u)] = true
			} else {
				there[packageName(u)] = true
			}
		}
	}
	var hasty, others []*change
	for _, c := range changes {
		u := c.object()
		_, asked := u.GetAnnotations()[annotationRace]
		wanted, _, _ := unstructured.NestedString(u.Object, "spec", "packageRef", "refName")
		c.hasty = c.op == "create" && rank(u) == rankInstalls && (asked || k.races) && created[wanted] && !there[wanted]
		if c.hasty {
			hasty = append(hasty, c)
		} else {
			others = append(others, c)
		}
	}
	first := slices.IndexFunc(others, func(c *change) bool { return c.op == "create" && rank(c.object()) == rankPackages })
	if len(hasty) == 0 || first < 0 {
		return changes
	}
	return slices.Insert(others, first, hasty...)
}

// miss waits until the controller has found no Package for a hasty PackageInstall. kapp
// then takes that for the outcome.
func (k *kapp) miss(ctx context.Context, c *change) error {
	u := c.object()
	for end := time.Now().Add(raceLimit); time.Now().Before(end); {
		live, err := k.cluster.in(c.where, u.GetNamespace()).Get(ctx, u.GetName(), metav1.GetOptions{})
		if err != nil {
			return err
		}
		if stateOf(live).failure != "" {
			c.live, c.moved = live, false
			return nil
		}
		if err := sleep(ctx, waitInterval/10); err != nil {
			return err
		}
	}
	return nil
}
