package delivery

import (
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// AppSecret is a Secret that belongs to an App, beside it.
type AppSecret struct {
	Name string
	Keys []string          // sorted
	Data map[string][]byte // nil: it is not to be written
}

// Shown is what a plan and a state tell of the Secret.
func (s AppSecret) Shown() string { return strings.Join(s.Keys, ", ") }

func (a App) secretRef(name string) cluster.Ref {
	return cluster.Ref{Resource: carvel.Secrets, Namespace: a.Namespace, Name: name}
}

// secretObjects are the App's own Secrets that have data.
func (a App) secretObjects() []*unstructured.Unstructured {
	var objects []*unstructured.Unstructured
	for _, s := range a.Secrets {
		if s.Data != nil {
			obj := carvel.CredentialSecret(a.Namespace, s.Name, s.Data)
			a.Defaults.With(carvel.Metadata{Labels: a.Labels, Annotations: a.Annotations}.Shared()).On(obj)
			objects = append(objects, obj)
		}
	}
	return objects
}

// createSecrets writes the Secrets of a new App. made are those that were not
// there before.
func (as *Apps) createSecrets(ctx context.Context, build Cluster, a App, mine carvel.Mark,
	adopt func(*unstructured.Unstructured) error,
) (made []cluster.Ref, err error) {
	for _, obj := range a.secretObjects() {
		_, before, err := as.establish(ctx, build, obj, mine, a.Manager, adopt)
		if err != nil {
			return made, err
		}
		if before == nil {
			made = append(made, refOf(obj))
		}
	}
	return made, nil
}

// updateSecrets writes the Secrets of an App that is there. One that belongs to
// another App, or that somebody else has made, is an error.
func (as *Apps) updateSecrets(ctx context.Context, build Cluster, a App, mine carvel.Mark) error {
	for _, obj := range a.secretObjects() {
		live, err := find(ctx, build, refOf(obj))
		if err != nil {
			return err
		}
		ours, theirs := mine, carvel.MarkOf(live)
		ours.Adopted = theirs.Adopted
		if live != nil && (a.isTaken(theirs) || !carvel.IsManaged(live)) {
			if ours, err = as.takeOver(build.Name(), live, mine, a.Adopt); err != nil {
				return err
			}
		}
		if _, err := build.Apply(ctx, refOf(obj), ours.On(obj), a.Manager); err != nil {
			return err
		}
	}
	return nil
}

// dropped are the names of the Secrets that the App was made with and does not
// have any more.
func (a App) dropped(before App) []string {
	var names []string
	for _, s := range before.Secrets {
		if !slices.ContainsFunc(a.Secrets, func(kept AppSecret) bool { return kept.Name == s.Name }) {
			names = append(names, s.Name)
		}
	}
	return names
}

// deleteSecrets deletes Secrets of the App's that are its own, but for those
// that another App uses.
func (as *Apps) deleteSecrets(ctx context.Context, build Cluster, a App, names []string) ([]Left, error) {
	if len(names) == 0 {
		return nil, nil
	}
	apps, err := build.List(ctx, carvel.Apps, a.Namespace)
	if err != nil {
		return nil, err
	}
	var left []Left
	for _, name := range names {
		user := slices.IndexFunc(apps, func(app unstructured.Unstructured) bool {
			return app.GetName() != a.Name && carvel.UsesSecret(&app, name)
		})
		if user >= 0 {
			left = append(left, Left{
				Where: build.Name(), What: a.secretRef(name).String(), Reason: LeftInUse,
				By: cluster.Ref{Resource: carvel.Apps, Namespace: a.Namespace, Name: apps[user].GetName()}.String(),
			})
			continue
		}
		more, err := as.remove(ctx, build, a.secretRef(name), a.resource(), a.ForCluster)
		left = append(left, more...)
		if err != nil {
			return left, err
		}
	}
	return left, nil
}

// readSecrets tells, for each of the App's Secrets that is there, its keys, and
// which of them somebody else has written.
func (a App) readSecrets(ctx context.Context, build Cluster) (map[string]string, error) {
	shown := map[string]string{}
	for _, s := range a.Secrets {
		live, err := find(ctx, build, a.secretRef(s.Name))
		if err != nil {
			return nil, err
		}
		if live != nil {
			shown[s.Name] = shownSecret(live, a.Manager.Name)
		}
	}
	return shown, nil
}

func shownSecret(live *unstructured.Unstructured, manager string) string {
	owned := cluster.OwnedData(live, manager)
	keys := sortedKeys(live)
	for i, key := range keys {
		if !slices.Contains(owned, key) {
			keys[i] += " (written by somebody else)"
		}
	}
	return strings.Join(keys, ", ")
}

func sortedKeys(secret *unstructured.Unstructured) []string {
	return slices.Sorted(slices.Values(carvel.SecretKeys(secret)))
}
