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

// writeSecrets writes the App's own Secrets that have data. made are those that
// were not there before. One that somebody else has made is an *ExistsError.
func (a App) writeSecrets(ctx context.Context, build *cluster.Cluster) (made []cluster.Ref, err error) {
	for _, s := range a.Secrets {
		if s.Data == nil {
			continue
		}
		ref := a.secretRef(s.Name)
		live, err := find(ctx, build, ref)
		if err != nil {
			return made, err
		}
		how := a.ForCluster
		how.Adopt = how.Adopt || live != nil && carvel.IsManaged(live)
		if _, err := create(ctx, build, carvel.CredentialSecret(a.Namespace, s.Name, s.Data), how); err != nil {
			return made, err
		}
		if live == nil {
			made = append(made, ref)
		}
	}
	return made, nil
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

// deleteSecrets deletes Secrets of the App's that are ours.
func (a App) deleteSecrets(ctx context.Context, build *cluster.Cluster, names []string) error {
	for _, name := range names {
		if err := deleteOurs(ctx, build, a.secretRef(name)); err != nil {
			return err
		}
	}
	return nil
}

// readSecrets tells, for each of the App's Secrets that is there, its keys, and
// which of them somebody else has written.
func (a App) readSecrets(ctx context.Context, build *cluster.Cluster) (map[string]string, error) {
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
	keys := carvel.SecretKeys(live)
	slices.Sort(keys)
	for i, key := range keys {
		if !slices.Contains(owned, key) {
			keys[i] += " (written by somebody else)"
		}
	}
	return strings.Join(keys, ", ")
}
