// Package kubeconfig makes kubeconfigs that work from inside another cluster, and looks
// at their tokens. kapp-controller keeps the inline data of a kubeconfig alone and drops
// files, plugins and the rest without a word, so that Portable refuses what would be
// lost, and what kubectl would refuse or use as nobody. Nothing here reads a file or asks a server, and no error quotes a kubeconfig.
package kubeconfig

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/giturl"
)

// Finding is one thing that is wrong with a kubeconfig, as a sentence without its full
// stop.
type Finding struct {
	Text    string
	Dropped bool // kapp-controller drops it without a word
}

// PortabilityError says why kapp-controller could not use a kubeconfig.
type PortabilityError struct{ Findings []Finding }

func (e *PortabilityError) Error() string {
	errs := make([]error, len(e.Findings))
	for i, f := range e.Findings {
		errs[i] = errors.New(f.Text)
	}
	return errors.Join(errs...).Error()
}

// Dropped reports whether kapp-controller drops something of the kubeconfig.
func (e *PortabilityError) Dropped() bool {
	return slices.ContainsFunc(e.Findings, func(f Finding) bool { return f.Dropped })
}

// Text has all findings in one line.
func (e *PortabilityError) Text() string { return strings.ReplaceAll(e.Error(), "\n", "; ") }

// File is a kubeconfig of one context that kapp-controller can use.
type File struct {
	Server string // of its one cluster
	YAML   []byte
}

// Portable reduces a kubeconfig to its current context, and refuses
// with *PortabilityError what would not work from inside another cluster.
// Errors never quote the kubeconfig's content.
func Portable(data []byte) (File, error) {
	config, err := minified(data)
	if err != nil {
		return File{}, err
	}
	if findings := check(config); len(findings) > 0 {
		return File{}, &PortabilityError{findings}
	}
	out, err := clientcmd.Write(*config)
	if err != nil {
		return File{}, fmt.Errorf("write the kubeconfig: %w", err)
	}
	cluster, _ := parts(config)
	return File{Server: giturl.Public(cluster.Server), YAML: out}, nil
}

// Usable is Portable for a kubeconfig that is to be used now: it refuses credentials
// that have expired as well.
func Usable(data []byte, now time.Time) (File, error) {
	file, err := Portable(data)
	if err != nil {
		return File{}, err
	}
	config, err := minified(file.YAML)
	if err != nil {
		return File{}, err
	}
	if findings := expired(config, now); len(findings) > 0 {
		return File{}, &PortabilityError{findings}
	}
	return file, nil
}

// minified has the current context and what it names, which is there.
func minified(data []byte) (*api.Config, error) {
	config, err := load(data)
	if err != nil {
		return nil, err
	}
	if findings := currentContext(config); len(findings) > 0 {
		return nil, &PortabilityError{findings}
	}
	if err := api.MinifyConfig(config); err != nil {
		return nil, fmt.Errorf("reduce the kubeconfig to its current context: %w", err)
	}
	return config, nil
}

// parts are what the current context names.
func parts(config *api.Config) (*api.Cluster, *api.AuthInfo) {
	current := config.Contexts[config.CurrentContext]
	return config.Clusters[current.Cluster], config.AuthInfos[current.AuthInfo]
}

func currentContext(config *api.Config) []Finding {
	if config.CurrentContext == "" {
		return []Finding{{Text: "current-context is not set: set it to the context of the run cluster"}}
	}
	context, ok := config.Contexts[config.CurrentContext]
	if !ok {
		return []Finding{{Text: fmt.Sprintf("current-context names %q, and there is no such context", config.CurrentContext)}}
	}
	var findings []Finding
	if _, ok := config.Clusters[context.Cluster]; !ok {
		findings = append(findings, Finding{Text: fmt.Sprintf("the context names cluster %q, and there is no such cluster", context.Cluster)})
	}
	if _, ok := config.AuthInfos[context.AuthInfo]; !ok {
		findings = append(findings, Finding{Text: fmt.Sprintf("the context names user %q, and there is no such user", context.AuthInfo)})
	}
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
	config, err := load(data)
	if err != nil {
		return nil, err
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
	config, err := load(data)
	if err != nil {
		return Context{}, err
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
