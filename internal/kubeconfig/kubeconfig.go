// Package kubeconfig makes kubeconfigs that work from inside another cluster, and looks
// at their tokens. kapp-controller keeps the inline data of a kubeconfig alone and drops
// files, plugins and the rest without a word, so that Portable refuses what would be
// lost. Nothing here reads a file or asks a server, and no error quotes a kubeconfig.
package kubeconfig

import (
	"errors"
	"fmt"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/giturl"
)

// PortabilityError says why kapp-controller could not use a kubeconfig: it
// keeps inline data alone and drops the rest without a word.
type PortabilityError struct {
	Findings []string // a sentence each
}

func (e *PortabilityError) Error() string {
	errs := make([]error, len(e.Findings))
	for i, f := range e.Findings {
		errs[i] = errors.New(f)
	}
	return errors.Join(errs...).Error()
}

// File is a kubeconfig of one context that kapp-controller can use.
type File struct {
	Server string // of its one cluster
	YAML   []byte
}

// Portable reduces a kubeconfig to its current context, and refuses
// with *PortabilityError what would not work from inside another cluster.
// Errors never quote the kubeconfig's content.
func Portable(data []byte) (File, error) {
	config, err := clientcmd.Load(data)
	if err != nil {
		return File{}, errors.New("not a kubeconfig: it cannot be read as the YAML of kind Config")
	}
	if findings := currentContext(config); len(findings) > 0 {
		return File{}, &PortabilityError{findings}
	}
	if err := api.MinifyConfig(config); err != nil {
		return File{}, fmt.Errorf("reduce the kubeconfig to its current context: %w", err)
	}
	current := config.Contexts[config.CurrentContext]
	cluster, user := config.Clusters[current.Cluster], config.AuthInfos[current.AuthInfo]
	if findings := append(clusterFindings(cluster), userFindings(user)...); len(findings) > 0 {
		return File{}, &PortabilityError{findings}
	}
	out, err := clientcmd.Write(*config)
	if err != nil {
		return File{}, fmt.Errorf("write the kubeconfig: %w", err)
	}
	return File{Server: giturl.Public(cluster.Server), YAML: out}, nil
}

func currentContext(config *api.Config) []string {
	if config.CurrentContext == "" {
		return []string{"current-context is not set: set it to the context of the run cluster"}
	}
	context, ok := config.Contexts[config.CurrentContext]
	if !ok {
		return []string{fmt.Sprintf("current-context names %q, and there is no such context", config.CurrentContext)}
	}
	var findings []string
	if _, ok := config.Clusters[context.Cluster]; !ok {
		findings = append(findings, fmt.Sprintf("the context names cluster %q, and there is no such cluster", context.Cluster))
	}
	if _, ok := config.AuthInfos[context.AuthInfo]; !ok {
		findings = append(findings, fmt.Sprintf("the context names user %q, and there is no such user", context.AuthInfo))
	}
	return findings
}

func clusterFindings(c *api.Cluster) []string {
	var findings []string
	if c.Server == "" {
		findings = append(findings, "the cluster has no server")
	}
	if c.CertificateAuthority != "" {
		findings = append(findings, "certificate-authority is a file path: inline it as certificate-authority-data")
	}
	return findings
}

func userFindings(u *api.AuthInfo) []string {
	var findings []string
	add := func(bad bool, text string) {
		if bad {
			findings = append(findings, text)
		}
	}
	add(u.Exec != nil, "the user runs an exec plugin, which does not run inside the controller: use a token, or the service_account source")
	add(u.AuthProvider != nil, "the user has an auth-provider, which Kubernetes no longer supports: use a token, or the service_account source")
	add(u.TokenFile != "", "tokenFile is a file path: inline it as token")
	add(u.ClientCertificate != "", "client-certificate is a file path: inline it as client-certificate-data")
	add(u.ClientKey != "", "client-key is a file path: inline it as client-key-data")
	add(u.ImpersonateUID != "", "as-uid is dropped by the controller: remove it")
	return findings
}

// APIServer is where a cluster's API server is, and how its certificate is
// verified.
type APIServer struct {
	URL           string
	CA            []byte // PEM; empty: the system's authorities
	TLSServerName string // name in the certificate; "": the URL's host
	Insecure      bool   // do not verify it
}

// ForServiceAccount builds a kubeconfig for a ServiceAccount's token.
func ForServiceAccount(cluster string, at APIServer, namespace, serviceAccount, token string) (File, error) {
	config := api.NewConfig()
	config.Clusters[cluster] = &api.Cluster{
		Server: at.URL, CertificateAuthorityData: at.CA, TLSServerName: at.TLSServerName, InsecureSkipTLSVerify: at.Insecure,
	}
	config.AuthInfos[serviceAccount] = &api.AuthInfo{Token: token}
	config.Contexts[cluster] = &api.Context{Cluster: cluster, AuthInfo: serviceAccount, Namespace: namespace}
	config.CurrentContext = cluster
	out, err := clientcmd.Write(*config)
	if err != nil {
		return File{}, fmt.Errorf("write the kubeconfig: %w", err)
	}
	return File{Server: at.URL, YAML: out}, nil
}

// WithToken is a kubeconfig with another token of its current context's user.
func WithToken(data []byte, token string) ([]byte, error) {
	config, err := clientcmd.Load(data)
	if err != nil {
		return nil, errors.New("not a kubeconfig: it cannot be read as the YAML of kind Config")
	}
	current, ok := config.Contexts[config.CurrentContext]
	if !ok || config.AuthInfos[current.AuthInfo] == nil {
		return nil, errors.New("the kubeconfig has no current context with a user")
	}
	config.AuthInfos[current.AuthInfo].Token = token
	return clientcmd.Write(*config)
}

// Context is what a kubeconfig's current context names, and the token of its
// user, if it has one.
type Context struct {
	Cluster, User, Namespace string
	Token                    string
}

// CurrentContext reads a kubeconfig's current context.
func CurrentContext(data []byte) (Context, error) {
	config, err := clientcmd.Load(data)
	if err != nil {
		return Context{}, errors.New("not a kubeconfig: it cannot be read as the YAML of kind Config")
	}
	current, ok := config.Contexts[config.CurrentContext]
	if !ok {
		return Context{}, errors.New("the kubeconfig has no current context")
	}
	out := Context{Cluster: current.Cluster, User: current.AuthInfo, Namespace: current.Namespace}
	if user := config.AuthInfos[current.AuthInfo]; user != nil {
		out.Token = user.Token
	}
	return out, nil
}
