package delivery

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
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

func (a ServiceAccount) kubeconfig(runCluster string, e cluster.Endpoint, token []byte) (kubeconfig.File, error) {
	at := kubeconfig.APIServer{URL: e.Server, CA: e.CA, TLSServerName: e.TLSServerName, Insecure: e.Insecure}
	return kubeconfig.ForServiceAccount(runCluster, at, a.Namespace, a.Name, string(token))
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

// keepsToken reports whether the run cluster holds a token Secret for the
// kubeconfig.
func (s KubeconfigSecret) keepsToken() bool {
	return s.ServiceAccount != nil && !s.ServiceAccount.requested()
}

// tokenNames are what the names of a kubeconfig's token Secrets begin with. Two
// build clusters, and two configurations, may each have a Secret of the same name,
// and one must not revoke the token of the other.
func (ks *Kubeconfigs) tokenNames(s KubeconfigSecret) (string, error) {
	build, err := ks.build()
	if err != nil {
		return "", err
	}
	endpoint, err := build.Endpoint()
	return carvel.TokenSecretName(s.ServiceAccount.Name, s.Namespace+"/"+s.Name, ks.Owner, endpoint.Server), err
}

// newTokenName is the name of a new token Secret: of the one that an earlier,
// interrupted run has made, else one that there has never been. Nothing but the name
// tells two tokens of an account apart, so that a token which was revoked would be
// good again with the next Secret of its name, if the cluster signs with RSA.
func (ks *Kubeconfigs) newTokenName(ctx context.Context, c Cluster, s KubeconfigSecret, mine carvel.Mark) (string, error) {
	begin, err := ks.tokenNames(s)
	if err != nil {
		return "", err
	}
	made, err := ks.madeTokens(ctx, c, s, mine)
	switch {
	case apierrors.IsForbidden(err):
		return begin, nil // which the next run finds as well
	case err != nil:
		return "", err
	case len(made) > 0:
		return made[0], nil
	}
	return uniqueTokenName(begin), nil
}

// uniqueTokenName is a name that there has never been.
func uniqueTokenName(begin string) string {
	unique := make([]byte, carvel.TokenSecretRandom)
	_, _ = rand.Read(unique) // never fails
	return begin + "-" + hex.EncodeToString(unique)
}

// madeTokens are the names of token Secrets that were made for the kubeconfig, and that
// no other resource holds.
func (ks *Kubeconfigs) madeTokens(ctx context.Context, c Cluster, s KubeconfigSecret, mine carvel.Mark) ([]string, error) {
	begin, err := ks.tokenNames(s)
	if err != nil {
		return nil, err
	}
	secrets, _, err := c.ListWhere(ctx, carvel.Secrets, s.ServiceAccount.Namespace, "type="+carvel.TokenSecretType)
	if err != nil {
		return nil, err
	}
	var names []string
	for i := range secrets {
		name := secrets[i].GetName()
		if (name == begin || strings.HasPrefix(name, begin+"-")) && secrets[i].GetDeletionTimestamp() == nil && ks.resumes(carvel.MarkOf(&secrets[i]), mine) {
			names = append(names, name)
		}
	}
	return names, nil
}

// tokenOf is the name of the token Secret that a Secret on the build cluster
// was written with; live may be nil. Versions that did not write it down knew
// the kubeconfigs of one account apart by their names alone.
func (s KubeconfigSecret) tokenOf(live *unstructured.Unstructured) string {
	if live != nil {
		if name := live.GetAnnotations()[carvel.TokenSecretAnnotation]; name != "" {
			return name
		}
	}
	return carvel.TokenSecretName(s.ServiceAccount.Name, s.Namespace+"/"+s.Name)
}

func (s KubeconfigSecret) tokenSecret() *unstructured.Unstructured {
	obj := carvel.TokenSecret(s.ServiceAccount.Namespace, s.TokenSecret, s.ServiceAccount.Name)
	s.All().Shared().On(obj)
	return obj
}

// applyToken writes the token Secret: the one that is recorded, or a new one
// if none is, or it is gone, or another resource holds it. It sets s.TokenSecret.
func (ks *Kubeconfigs) applyToken(ctx context.Context, c Cluster, s *KubeconfigSecret, mine carvel.Mark) (*unstructured.Unstructured, error) {
	mine.Adopted = false // which the Secret on the build cluster may be
	if s.TokenSecret != "" {
		secret := s.tokenSecret()
		live, err := find(ctx, c, refOf(secret))
		if err != nil {
			return nil, err
		}
		if live != nil && !s.isTaken(carvel.MarkOf(live)) {
			return c.Apply(ctx, refOf(secret), mine.On(secret), s.Manager)
		}
	}
	var err error
	if s.TokenSecret, err = ks.newTokenName(ctx, c, *s, mine); err != nil {
		return nil, err
	}
	live, _, err := ks.establish(ctx, c, s.tokenSecret(), mine, s.Manager, nil)
	return live, err
}

// relabelToken puts the labels and annotations on the token Secret as well, if the Secret
// on the build cluster had others before.
func (ks *Kubeconfigs) relabelToken(ctx context.Context, s KubeconfigSecret, before *unstructured.Unstructured, mine carvel.Mark) error {
	if !s.keepsToken() || s.TokenSecret == "" || before == nil {
		return nil
	}
	labels, annotations := cluster.OwnedMetadata(before, s.Manager.Name)
	delete(labels, carvel.ManagedByLabel)
	delete(annotations, carvel.MarkAnnotation)
	delete(annotations, carvel.TokenSecretAnnotation)
	delete(annotations, carvel.RotatedAnnotation)
	all, had := s.All(), carvel.Metadata{Labels: labels, Annotations: annotations}
	missing, dropped := all.Without(had), had.Without(all)
	if len(missing.Labels)+len(missing.Annotations)+len(dropped.Labels)+len(dropped.Annotations) == 0 {
		return nil
	}
	c, _, err := ks.runEndpoint(s.RunCluster, *s.ServiceAccount)
	if err != nil {
		return err
	}
	secret := s.tokenSecret()
	live, err := find(ctx, c, refOf(secret))
	if err != nil || live == nil || s.isTaken(carvel.MarkOf(live)) {
		return err // what is not there is made when it is needed
	}
	mine.Adopted = false
	_, err = c.Apply(ctx, refOf(secret), mine.On(secret), s.Manager)
	return err
}

// fillToken makes the token Secret and waits for its token. added reports whether
// the Secret was not there before.
func (ks *Kubeconfigs) fillToken(ctx context.Context, c Cluster, s *KubeconfigSecret, mine carvel.Mark) (token kubeconfig.Token, added bool, err error) {
	if _, err := c.Get(ctx, s.ServiceAccount.ref()); err != nil {
		return token, false, err // the token Secret of a missing account is deleted at once
	}
	live, err := ks.applyToken(ctx, c, s, mine)
	if err != nil {
		return token, false, err
	}
	token.Value, added, err = filled(ctx, c, live)
	return token, added, err
}

// filled waits for the token in a token Secret. A controller fills it in, so that only a
// Secret that was there before has it at once; waited reports whether it had not.
func filled(ctx context.Context, c Cluster, live *unstructured.Unstructured) (token []byte, waited bool, err error) {
	token, ok := carvel.SecretValue(live, "token")
	if ok && len(token) > 0 {
		return token, false, nil
	}
	err = c.Wait(ctx, refOf(live), func(obj *unstructured.Unstructured) (bool, error) {
		if obj == nil {
			return false, fmt.Errorf("the token Secret %s/%s was deleted while it was being filled", live.GetNamespace(), live.GetName())
		}
		token, ok = carvel.SecretValue(obj, "token")
		return ok && len(token) > 0, nil
	})
	return token, true, err
}

// deleteToken deletes the token Secret, if it is the resource's own, and so
// revokes its token. Any error is a *TokenLeftError.
func (ks *Kubeconfigs) deleteToken(ctx context.Context, s KubeconfigSecret) error {
	ref := refOf(s.tokenSecret())
	c, err := ks.run(s.RunCluster)
	if err == nil {
		_, err = ks.remove(ctx, c, ref, s.resource(), s.ForCluster)
	}
	if err != nil {
		return &TokenLeftError{RunCluster: s.RunCluster, Namespace: ref.Namespace, Name: ref.Name, Err: err}
	}
	return nil
}

func requestToken(ctx context.Context, c Cluster, a ServiceAccount) (kubeconfig.Token, error) {
	request := carvel.TokenRequest(a.Namespace, a.Name, a.TokenSeconds, a.Audiences)
	answer, err := c.CreateSubresource(ctx, a.ref(), carvel.TokenSubresource, request)
	if err != nil {
		return kubeconfig.Token{}, err
	}
	return carvel.GrantedToken(answer)
}

// ShortLivedKubeconfig is a kubeconfig with a requested token, and its parts.
type ShortLivedKubeconfig struct {
	kubeconfig.File
	Token kubeconfig.Token
	CA    []byte // PEM; empty: publicly trusted
}

// Request makes a kubeconfig with a requested token. It leaves
// nothing on the run cluster, and the token cannot be revoked but by deleting
// the ServiceAccount.
func (ks *Kubeconfigs) Request(ctx context.Context, runCluster string, a ServiceAccount) (ShortLivedKubeconfig, error) {
	var out ShortLivedKubeconfig
	c, endpoint, err := ks.runEndpoint(runCluster, a)
	if err != nil {
		return out, err
	}
	if out.Token, err = requestToken(ctx, c, a); err != nil {
		return out, err
	}
	out.CA = endpoint.CA
	out.File, err = a.kubeconfig(runCluster, endpoint, out.Token.Value)
	return out, err
}
