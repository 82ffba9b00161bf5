package delivery

import (
	"context"
	"errors"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/slowdigest"
)

// Fingerprint of a kubeconfig in a Secret.
func Fingerprint(s carvel.KubeconfigSecretSpec, kubeconfig []byte) string {
	return slowdigest.Text("carvel_kubeconfig_secret "+s.Namespace+"/"+s.Name, kubeconfig, 32)
}

// source is a kubeconfig to write, and what was done to get it.
type source struct {
	kubeconfig.File
	life       kubeconfig.Life // of a requested token
	tokenAdded bool            // the token Secret was not there before
}

// source gives the kubeconfig that the Secret is to hold. For a
// ServiceAccount it gets a token from the run cluster, and sets s.TokenSecret.
func (ks *Kubeconfigs) source(ctx context.Context, build Cluster, s *KubeconfigSecret, mine carvel.Mark) (source, error) {
	if s.Keep != "" {
		value, err := s.current(ctx, build)
		if err == nil && Fingerprint(s.KubeconfigSecretSpec, value) != s.Keep {
			err = ErrKubeconfigChanged
		}
		return source{File: kubeconfig.File{YAML: value}}, err
	}
	if s.ServiceAccount == nil {
		kubeconfig, err := kubeconfig.Usable(s.Kubeconfig, time.Now())
		return source{File: kubeconfig}, err
	}
	c, endpoint, err := ks.runEndpoint(s.RunCluster, *s.ServiceAccount)
	if err != nil {
		return source{}, err
	}
	var out source
	var token kubeconfig.Token
	if s.ServiceAccount.requested() {
		token, err = requestToken(ctx, c, *s.ServiceAccount)
	} else {
		token, out.tokenAdded, err = ks.fillToken(ctx, c, s, mine)
	}
	if err != nil {
		return out, err
	}
	out.life = token.Life
	out.File, err = s.ServiceAccount.kubeconfig(s.RunCluster, endpoint, token.Value)
	return out, err
}

// runEndpoint is a ServiceAccount's run cluster, and where the kubeconfig is to
// say that it is.
func (cs clusters) runEndpoint(runCluster string, a ServiceAccount) (Cluster, cluster.Endpoint, error) {
	c, err := cs.run(runCluster)
	if err != nil {
		return nil, cluster.Endpoint{}, err
	}
	endpoint, err := c.Endpoint()
	if a.Server != "" {
		endpoint.Server = a.Server
	}
	return c, endpoint, err
}

// ServerOf is the API server's URL that the kubeconfig of a ServiceAccount will
// have. It sends no request.
func (ks *Kubeconfigs) ServerOf(runCluster string, a ServiceAccount) (string, error) {
	_, endpoint, err := ks.runEndpoint(runCluster, a)
	return endpoint.Server, err
}

// IsInsecure reports whether the kubeconfig of a ServiceAccount will leave its
// server's certificate unverified, as the provider does. It sends no request.
func (ks *Kubeconfigs) IsInsecure(runCluster string) bool {
	_, endpoint, err := ks.runEndpoint(runCluster, ServiceAccount{})
	return err == nil && endpoint.Insecure // what needs the cluster says why it cannot be used
}

// WantedFingerprint is that of the kubeconfig which the Secret should hold now,
// empty if a new token is needed to tell.
func (ks *Kubeconfigs) WantedFingerprint(ctx context.Context, s KubeconfigSecret) (string, error) {
	if s.ServiceAccount == nil {
		kubeconfig, err := kubeconfig.Portable(s.Kubeconfig)
		if err != nil {
			return "", err
		}
		return Fingerprint(s.KubeconfigSecretSpec, kubeconfig.YAML), nil
	}
	c, endpoint, err := ks.runEndpoint(s.RunCluster, *s.ServiceAccount)
	if err != nil {
		return "", err
	}
	token, err := ks.currentToken(ctx, c, s)
	if err != nil || len(token) == 0 {
		return "", err
	}
	kubeconfig, err := s.ServiceAccount.kubeconfig(s.RunCluster, endpoint, token)
	if err != nil {
		return "", err
	}
	return Fingerprint(s.KubeconfigSecretSpec, kubeconfig.YAML), nil
}

// currentToken is the token to go on with, empty if there is none: that of
// the token Secret, or the requested one that is in use.
func (ks *Kubeconfigs) currentToken(ctx context.Context, c Cluster, s KubeconfigSecret) ([]byte, error) {
	if s.keepsToken() {
		if s.TokenSecret == "" {
			s.TokenSecret = s.tokenOf(nil)
		}
		secret, err := find(ctx, c, refOf(s.tokenSecret()))
		if err != nil || secret == nil {
			return nil, err
		}
		token, _ := carvel.SecretValue(secret, "token")
		return token, nil
	}
	account, err := find(ctx, c, s.ServiceAccount.ref())
	if err != nil || account == nil {
		return nil, err
	}
	build, err := ks.build()
	if err != nil {
		return nil, err
	}
	value, err := s.current(ctx, build)
	if err != nil {
		return nil, err
	}
	current, err := kubeconfig.CurrentContext(value)
	if err != nil {
		return nil, nil //nolint:nilerr // what is there is not a kubeconfig, and is replaced
	}
	// A token dies with its ServiceAccount, also if one of the same name follows.
	claims, ok := kubeconfig.ReadClaims(current.Token)
	if ok && claims.ServiceAccountUID != "" && claims.ServiceAccountUID != string(account.GetUID()) {
		return nil, nil
	}
	return []byte(current.Token), nil
}

// current is what the Secret holds now, empty if it is missing.
func (s KubeconfigSecret) current(ctx context.Context, build Cluster) ([]byte, error) {
	live, err := find(ctx, build, cluster.Ref{Resource: carvel.Secrets, Namespace: s.Namespace, Name: s.Name})
	if err != nil || live == nil {
		return nil, err
	}
	value, _ := carvel.SecretValue(live, s.Key)
	return value, nil
}

// undoSource takes back what was done for a kubeconfig that could not be
// written, so that no token is left that nothing remembers. It returns err, and
// a *TokenLeftError beside it if that failed.
func (ks *Kubeconfigs) undoSource(ctx context.Context, s KubeconfigSecret, done source, err error) error {
	if !done.tokenAdded {
		return err
	}
	// ctx may have ended, and with it what was being done.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	return errors.Join(err, ks.deleteToken(ctx, s))
}
