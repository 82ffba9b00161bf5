package cluster

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/credential"
)

// Config says how to reach a cluster. Fields set beside a kubeconfig override
// what it says. The zero Config reaches nothing: there is no default cluster.
type Config struct {
	Host                  string // URL of the API server; without a scheme it means https
	Token                 string
	TokenPath             string // a file that holds the token, read again as it changes
	Username, Password    string
	ClientCertificate     string // PEM
	ClientKey             string // PEM
	CACertificate         string // PEM
	Insecure              bool   // do not verify the server's certificate
	TLSServerName         string
	ProxyURL              string
	ConfigPaths           []string // kubeconfig files, merged as kubectl does; "~/" is the home directory
	ConfigContext         string
	ConfigContextAuthInfo string
	ConfigContextCluster  string
	Kubeconfig            string // a kubeconfig's text; wins over ConfigPaths
	InCluster             bool   // what a Pod has of its cluster, if no kubeconfig is named
	Exec                  *Exec
	// Learn, if not nil, is told the credentials that come from files and
	// plugins, before they are sent. It may be called at any time.
	Learn func(secrets ...string) `json:"-"`
}

// Exec is a credential plugin.
type Exec struct {
	APIVersion, Command string
	Args                []string
	Env                 map[string]string
}

// ErrNotConfigured: the Config names no server.
var ErrNotConfigured = errors.New("no API server is configured")

// restConfig reads the files that the Config names.
func (c Config) restConfig() (*rest.Config, error) {
	base, err := c.load()
	if err == nil {
		err = c.checkProxies(base)
	}
	if err != nil {
		return nil, err
	}
	if c.TokenPath != "" {
		if _, err := readToken(c.TokenPath); err != nil {
			return nil, err
		}
	}
	config, err := clientcmd.NewDefaultClientConfig(*base, c.overrides()).ClientConfig()
	if clientcmd.IsEmptyConfig(err) {
		return nil, ErrNotConfigured
	}
	if err != nil {
		return nil, err
	}
	if config.Host == "" {
		return nil, ErrNotConfigured
	}
	return config, nil
}

func (c Config) load() (*api.Config, error) {
	switch {
	case c.Kubeconfig != "":
		config, err := clientcmd.Load([]byte(c.Kubeconfig))
		if err != nil {
			return nil, errors.New("kubeconfig: cannot be read as the YAML of kind Config") // the parser's text may quote a secret
		}
		return config, nil
	case len(c.ConfigPaths) > 0:
		rules := clientcmd.ClientConfigLoadingRules{}
		for _, path := range c.ConfigPaths {
			path, err := expandHome(path)
			if err != nil {
				return nil, fmt.Errorf("config_path: %w", err)
			}
			if _, err := os.Stat(path); err != nil {
				return nil, fmt.Errorf("config_path: %w", err)
			}
			rules.Precedence = append(rules.Precedence, path)
		}
		return rules.Load()
	case c.InCluster:
		return inCluster()
	default:
		return api.NewConfig(), nil
	}
}

// checkProxies refuses what client-go would refuse, whose error quotes the URL:
// it may hold a password.
func (c Config) checkProxies(base *api.Config) error {
	if !isProxy(c.ProxyURL) {
		return errors.New("proxy_url: not a URL that begins with http://, https:// or socks5://")
	}
	for name, cluster := range base.Clusters {
		if !isProxy(cluster.ProxyURL) {
			return fmt.Errorf("kubeconfig: the proxy-url of cluster %q is not a URL that begins with http://, https:// or socks5://", name)
		}
		c.learn(proxyPassword(cluster.ProxyURL))
	}
	return nil
}

// isProxy reports whether a text names a proxy, or none.
func isProxy(text string) bool {
	if text == "" {
		return true
	}
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && slices.Contains([]string{"http", "https", "socks5"}, u.Scheme)
}

func proxyPassword(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.User == nil {
		return ""
	}
	password, _ := u.User.Password()
	return password
}

func (c Config) learn(secrets ...string) {
	if c.Learn != nil {
		c.Learn(secrets...)
	}
}

func (c Config) overrides() *clientcmd.ConfigOverrides {
	o := &clientcmd.ConfigOverrides{
		CurrentContext: c.ConfigContext,
		Context:        api.Context{AuthInfo: c.ConfigContextAuthInfo, Cluster: c.ConfigContextCluster},
		ClusterInfo: api.Cluster{
			Server:                   credential.WithScheme(c.Host),
			CertificateAuthorityData: []byte(c.CACertificate),
			InsecureSkipTLSVerify:    c.Insecure,
			TLSServerName:            c.TLSServerName,
			ProxyURL:                 c.ProxyURL,
		},
		AuthInfo: api.AuthInfo{
			Token:                 c.Token,
			TokenFile:             c.TokenPath,
			Username:              c.Username,
			Password:              c.Password,
			ClientCertificateData: []byte(c.ClientCertificate),
			ClientKeyData:         []byte(c.ClientKey),
		},
	}
	if c.Exec != nil {
		exec := &api.ExecConfig{
			APIVersion:      c.Exec.APIVersion,
			Command:         c.Exec.Command,
			Args:            c.Exec.Args,
			InteractiveMode: api.NeverExecInteractiveMode,
		}
		for name, value := range c.Exec.Env {
			exec.Env = append(exec.Env, api.ExecEnvVar{Name: name, Value: value})
		}
		slices.SortFunc(exec.Env, func(a, b api.ExecEnvVar) int { return strings.Compare(a.Name, b.Name) })
		o.AuthInfo.Exec = exec
	}
	return o
}

func expandHome(path string) (string, error) {
	rest, ok := strings.CutPrefix(path, "~/")
	if !ok {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, rest), nil
}
