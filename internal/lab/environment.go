package lab

import (
	"fmt"
	"os"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
)

// The variables that describe a lab. The first three are paths.
const (
	EnvBuildKubeconfig   = "LAB_BUILD_KUBECONFIG"
	EnvStagingKubeconfig = "LAB_STAGING_KUBECONFIG"
	EnvProdKubeconfig    = "LAB_PROD_KUBECONFIG"
	EnvGitURL            = "LAB_GIT_URL"
	EnvGitUsername       = "LAB_GIT_USERNAME"
	EnvGitPassword       = "LAB_GIT_PASSWORD"
	EnvGitCAFile         = "LAB_GIT_CA_FILE"
)

func (l *Lab) variables() []struct{ name, value string } {
	return []struct{ name, value string }{
		{EnvBuildKubeconfig, l.Build.Kubeconfig},
		{EnvStagingKubeconfig, l.Staging.Kubeconfig},
		{EnvProdKubeconfig, l.Prod.Kubeconfig},
		{EnvGitURL, l.Git.URL},
		{EnvGitUsername, l.Git.Username},
		{EnvGitPassword, l.Git.Password},
		{EnvGitCAFile, l.Git.CAFile},
	}
}

// Exports returns the LAB_* variables as KEY=VALUE, ready for a child's
// environment.
func (l *Lab) Exports() []string {
	var exports []string
	for _, v := range l.variables() {
		exports = append(exports, v.name+"="+v.value)
	}
	if f := l.Forge; f != nil {
		exports = append(exports, "LAB_FORGE_URL="+f.URL(), "LAB_FORGE_USERNAME="+f.Admin.Name, "LAB_FORGE_PASSWORD="+f.Admin.Password,
			"LAB_FORGE_SSH="+f.SSH, "LAB_FORGE_CA_FILE="+l.path("forge-ca.crt"))
	}
	return exports
}

// FromEnvironment returns the lab that the LAB_* variables describe, and
// whether there is one. Nothing is started and Stop does nothing. Either all
// variables are set or none is; LAB_GIT_CA_FILE may be set to an empty value,
// which means the system's roots.
func FromEnvironment() (*Lab, bool, error) {
	var set int
	var missing []string
	for _, v := range (&Lab{}).variables() {
		value, ok := os.LookupEnv(v.name)
		if value != "" {
			set++
		}
		if value == "" && (v.name != EnvGitCAFile || !ok) {
			missing = append(missing, v.name)
		}
	}
	if set == 0 {
		return nil, false, nil
	}
	if len(missing) > 0 {
		return nil, false, fmt.Errorf("lab: some LAB_* variables are set, but not %s", strings.Join(missing, ", "))
	}
	l := &Lab{Git: Git{
		URL:      os.Getenv(EnvGitURL),
		Username: os.Getenv(EnvGitUsername),
		Password: os.Getenv(EnvGitPassword),
		CAFile:   os.Getenv(EnvGitCAFile),
	}}
	for _, c := range []struct {
		name, variable string
		cluster        *Cluster
	}{
		{"build", EnvBuildKubeconfig, &l.Build},
		{"staging", EnvStagingKubeconfig, &l.Staging},
		{"prod", EnvProdKubeconfig, &l.Prod},
	} {
		cluster, err := clusterFrom(c.name, os.Getenv(c.variable))
		if err != nil {
			return nil, false, fmt.Errorf("lab: %s: %w", c.variable, err)
		}
		*c.cluster = cluster
	}
	return l, true, nil
}

func clusterFrom(name, kubeconfig string) (Cluster, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return Cluster{}, err
	}
	ca := config.CAData
	if config.CAFile != "" {
		if ca, err = os.ReadFile(config.CAFile); err != nil {
			return Cluster{}, err
		}
	}
	return Cluster{Name: name, Kubeconfig: kubeconfig, Server: config.Host, CA: ca}, nil
}
