package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel/health"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
)

// ExpiredTokenError: the token in the kubeconfig Secret that an App is deployed with
// has expired, and could not be replaced.
type ExpiredTokenError struct {
	Secret  cluster.Ref
	Expired time.Time
	Err     error // why it could not be replaced
}

func (e *ExpiredTokenError) Error() string {
	return fmt.Sprintf("the token in %s has expired at %s, and could not be replaced: %v", e.Secret, e.Expired.UTC().Format(time.RFC3339), e.Err)
}

// renewToken replaces the requested token that an App is deployed with, if its
// renewal is due: with an expired one the controller cannot delete what the App
// deployed, and a destroy updates no kubeconfig Secret before. It writes a Secret
// alone that this configuration has made. The error, an *ExpiredTokenError, tells of a
// token that has expired; one that lives on will do.
func (as *Apps) renewToken(ctx context.Context, build Cluster, a App, live *unstructured.Unstructured) (renewed bool, err error) {
	spec, err := carvel.ReadApp(live)
	if err != nil || spec.Cluster == nil || spec.Cluster.KubeconfigSecretRef == nil {
		return false, nil //nolint:nilerr // the controller tells what is wrong with it
	}
	s := KubeconfigSecret{KubeconfigSecretSpec: carvel.KubeconfigSecretSpec{Namespace: spec.Namespace, Name: spec.Cluster.KubeconfigSecretRef.Name}}
	key := spec.Cluster.KubeconfigSecretRef.Key
	if key == "" {
		key = carvel.DefaultKubeconfigKey
	}
	secret, err := find(ctx, build, s.ref())
	mark := carvel.MarkOf(secret)
	if err != nil || mark.Owner != as.Owner || mark.Resource != s.resource() {
		return false, nil //nolint:nilerr // as above
	}
	old, _ := carvel.SecretValue(secret, key)
	current, err := kubeconfig.CurrentContext(old)
	if err != nil {
		return false, nil //nolint:nilerr // as above
	}
	claims, ok := kubeconfig.ReadClaims(current.Token)
	if !ok || claims.Expires.IsZero() || !claims.RenewalDue(time.Now()) {
		return false, nil
	}
	err = as.replaceToken(ctx, build, a, secret, key, claims)
	if err == nil || time.Now().Before(claims.Expires) {
		return err == nil, nil
	}
	return false, &ExpiredTokenError{Secret: s.ref(), Expired: claims.Expires, Err: err}
}

// replaceToken requests a token that lives as long as the one before. The Secret is
// applied by the field manager that has applied it before, with all that it has: its
// resource finds nothing of another's.
func (as *Apps) replaceToken(ctx context.Context, build Cluster, a App, secret *unstructured.Unstructured, key string, claims kubeconfig.Claims) error {
	manager := cluster.AppliedBy(secret, "data", key)
	if manager == "" {
		return errors.New("somebody else has written the kubeconfig")
	}
	run, err := as.run(a.RunCluster)
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	token, err := requestToken(bounded, run, ServiceAccount{
		Namespace: claims.Namespace, Name: claims.ServiceAccount, Audiences: claims.Audiences,
		TokenSeconds: int64(claims.Expires.Sub(claims.Issued).Seconds()),
	})
	if err != nil {
		return err
	}
	old, _ := carvel.SecretValue(secret, key)
	renewed, err := kubeconfig.WithToken(old, string(token.Value))
	if err != nil {
		return err
	}
	labels, annotations := cluster.OwnedMetadata(secret, manager)
	obj := carvel.KubeconfigSecret(carvel.KubeconfigSecretSpec{
		Namespace: secret.GetNamespace(), Name: secret.GetName(), Key: key, Type: carvel.SecretType(secret), Labels: labels, Annotations: annotations,
	}, kubeconfig.File{YAML: renewed})
	_, err = build.ApplyOver(ctx, refOf(secret), obj, secret, cluster.Manager{Name: manager})
	return err
}

// FailedApp is an App that fails after its kubeconfig has changed. Without a name none
// could be looked at.
type FailedApp struct{ Namespace, Name, Message string }

// retryTime is how long Apps may take, all together, to run again with another
// kubeconfig.
const retryTime = 2 * time.Minute

// retryApps has the Apps of this configuration run again that use the Secret and have
// failed, which they may have done for want of a token that was good: the controller
// does not watch the Secret, and would wait for its back-off to end. It returns those
// that have not succeeded then. Credentials that may not list Apps have none.
func (as *Apps) retryApps(ctx context.Context, build Cluster, s KubeconfigSecret) []FailedApp {
	apps, err := build.List(ctx, carvel.Apps, s.Namespace)
	var notServed *cluster.NotServedError
	switch {
	case errors.As(err, &notServed) || apierrors.IsForbidden(err):
		return nil
	case err != nil:
		return []FailedApp{{Namespace: s.Namespace, Message: err.Error()}}
	}
	ctx, cancel := context.WithTimeout(ctx, retryTime)
	defer cancel()
	var failed []FailedApp
	for i := range apps {
		a, uses := as.failedAppOf(s, &apps[i])
		if !uses {
			continue
		}
		message, err := a.retry(ctx, build, &apps[i])
		if err != nil {
			message = err.Error()
		}
		if message != "" {
			failed = append(failed, FailedApp{Namespace: a.Namespace, Name: a.Name, Message: message})
		}
	}
	return failed
}

// failedAppOf is an App of this configuration that uses the Secret and has failed.
func (as *Apps) failedAppOf(s KubeconfigSecret, live *unstructured.Unstructured) (App, bool) {
	spec, err := carvel.ReadApp(live)
	if err != nil || spec.Cluster == nil || spec.Cluster.KubeconfigSecretRef == nil || spec.Cluster.KubeconfigSecretRef.Name != s.Name {
		return App{}, false
	}
	a := App{AppSpec: spec, ForCluster: ForCluster{Manager: s.Manager}}
	mark := carvel.MarkOf(live)
	status, err := carvel.ReadAppStatus(live)
	return a, err == nil && mark.Owner == as.Owner && mark.Resource == a.resource() && !spec.Paused && !spec.Canceled &&
		live.GetDeletionTimestamp() == nil && status.Condition() == carvel.ReconcileFailed
}

// retry has a failed App run again and tells how it fails, "" if it does not.
func (a App) retry(ctx context.Context, build Cluster, live *unstructured.Unstructured) (message string, err error) {
	kicked, err := a.kick(ctx, build, live)
	if err != nil {
		return "", err
	}
	err = build.Wait(ctx, a.ref(), func(obj *unstructured.Unstructured) (bool, error) {
		if obj == nil || obj.GetUID() != live.GetUID() {
			message = ""
			return true, nil
		}
		status, err := carvel.ReadAppStatus(obj)
		if err != nil {
			return false, err
		}
		judged := health.App(status, kicked.GetGeneration())
		message = judged.Reason
		if judged.State == health.Current {
			message = ""
		}
		return judged.State != health.Pending, nil
	})
	if ctx.Err() != nil && message != "" {
		return message, nil // what it was doing when the time was up
	}
	return message, err
}
