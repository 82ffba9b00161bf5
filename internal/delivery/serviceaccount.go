package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// undoTimeout bounds the deletion of a token Secret after a failure.
const undoTimeout = 30 * time.Second

// ServiceAccount is an account on the run cluster to make a kubeconfig for.
type ServiceAccount struct {
	Namespace, Name string
	Server          string // "": as the provider reaches the run cluster
	// TokenSeconds is how long a requested token is to live; 0 is for a token
	// that does not expire, from a token Secret on the run cluster.
	TokenSeconds int64
	Audiences    []string // of a requested token; nil: the API server
}

func (a ServiceAccount) requested() bool { return a.TokenSeconds > 0 }

func (a ServiceAccount) ref() cluster.Ref {
	return cluster.Ref{Resource: carvel.ServiceAccounts, Namespace: a.Namespace, Name: a.Name}
}

func (a ServiceAccount) kubeconfig(runCluster string, e cluster.Endpoint, token []byte) (carvel.Kubeconfig, error) {
	at := carvel.APIServer{URL: e.Server, CA: e.CA, TLSServerName: e.TLSServerName, Insecure: e.Insecure}
	return carvel.ServiceAccountKubeconfig(runCluster, at, a.Namespace, a.Name, string(token))
}

// TokenLeftError: a token Secret is still on the run cluster.
type TokenLeftError struct {
	RunCluster      string
	Namespace, Name string
	Err             error // why it could not be deleted
}

func (e *TokenLeftError) Error() string {
	return fmt.Sprintf("delete the token Secret %s/%s on run cluster %q: %v", e.Namespace, e.Name, e.RunCluster, e.Err)
}
func (e *TokenLeftError) Unwrap() error { return e.Err }

// keepsToken tells whether the run cluster holds a token Secret for the
// kubeconfig.
func (s KubeconfigSecret) keepsToken() bool {
	return s.ServiceAccount != nil && !s.ServiceAccount.requested()
}

func (s KubeconfigSecret) tokenSecret() *unstructured.Unstructured {
	return carvel.TokenSecret(s.ServiceAccount.Namespace, s.ServiceAccount.Name, s.Namespace+"/"+s.Name)
}

// fillToken makes the token Secret and waits for its token. added tells whether
// the Secret was not there before.
func (s KubeconfigSecret) fillToken(ctx context.Context, c *cluster.Cluster) (token carvel.Token, added bool, err error) {
	if _, err := c.Get(ctx, s.ServiceAccount.ref()); err != nil {
		return token, false, err // the token Secret of a missing account is deleted at once
	}
	secret := s.tokenSecret()
	live, err := c.Apply(ctx, refOf(secret), secret, s.Manager)
	if err != nil {
		return token, false, err
	}
	var ok bool
	// The token is filled in by a controller, so that only a Secret that was
	// there before has it by now.
	if token.Value, ok = carvel.SecretValue(live, "token"); ok {
		return token, false, nil
	}
	err = c.Wait(ctx, refOf(secret), func(obj *unstructured.Unstructured) (bool, error) {
		if obj == nil {
			return false, fmt.Errorf("the token Secret %s/%s was deleted while it was being filled", secret.GetNamespace(), secret.GetName())
		}
		token.Value, ok = carvel.SecretValue(obj, "token")
		return ok && len(token.Value) > 0, nil
	})
	return token, true, err
}

// deleteToken deletes the token Secret, if it is ours, and so revokes its
// token. Any error is a *TokenLeftError.
func (d *Delivery) deleteToken(ctx context.Context, s KubeconfigSecret) error {
	ref := refOf(s.tokenSecret())
	left := &TokenLeftError{RunCluster: s.RunCluster, Namespace: ref.Namespace, Name: ref.Name}
	c, err := d.run(s.RunCluster)
	if err == nil {
		err = deleteManaged(ctx, c, ref)
	}
	if err != nil {
		left.Err = err
		return left
	}
	return nil
}

func deleteManaged(ctx context.Context, c *cluster.Cluster, ref cluster.Ref) error {
	live, err := find(ctx, c, ref)
	if err != nil || live == nil || !carvel.IsManaged(live) {
		return err
	}
	if err := c.Delete(ctx, ref, live.GetUID()); err != nil && !errors.Is(err, cluster.ErrReplaced) {
		return err
	}
	return nil
}

func requestToken(ctx context.Context, c *cluster.Cluster, a ServiceAccount) (carvel.Token, error) {
	request := carvel.TokenRequest(a.Namespace, a.Name, a.TokenSeconds, a.Audiences)
	answer, err := c.CreateSubresource(ctx, a.ref(), carvel.TokenSubresource, request)
	if err != nil {
		return carvel.Token{}, err
	}
	return carvel.GrantedToken(answer)
}

// ShortLivedKubeconfig is a kubeconfig with a requested token, and its parts.
type ShortLivedKubeconfig struct {
	carvel.Kubeconfig
	Token carvel.Token
	CA    []byte // PEM; empty: publicly trusted
}

// RequestKubeconfig makes a kubeconfig with a requested token. It leaves
// nothing on the run cluster, and the token cannot be revoked but by deleting
// the ServiceAccount.
func (d *Delivery) RequestKubeconfig(ctx context.Context, runCluster string, a ServiceAccount) (ShortLivedKubeconfig, error) {
	var out ShortLivedKubeconfig
	c, endpoint, err := d.runEndpoint(runCluster, a)
	if err != nil {
		return out, err
	}
	if out.Token, err = requestToken(ctx, c, a); err != nil {
		return out, err
	}
	out.CA = endpoint.CA
	out.Kubeconfig, err = a.kubeconfig(runCluster, endpoint, out.Token.Value)
	return out, err
}
