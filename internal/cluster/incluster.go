package cluster

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"k8s.io/client-go/tools/clientcmd/api"
)

// serviceAccountDir is where the kubelet puts the credentials of a Pod's
// ServiceAccount. Tests have one of their own.
var serviceAccountDir = "/var/run/secrets/kubernetes.io/serviceaccount"

// inCluster is the cluster that this process runs in, as its ServiceAccount.
func inCluster() (*api.Config, error) {
	const name = "in-cluster"
	host, port := os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")
	if host == "" || port == "" {
		return nil, errors.New("in_cluster_config: this is no Pod of a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set")
	}
	token, ca := filepath.Join(serviceAccountDir, "token"), filepath.Join(serviceAccountDir, "ca.crt")
	for _, path := range []string{token, ca} {
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("in_cluster_config: the Pod has no credentials of a ServiceAccount: %w", err)
		}
	}
	config := api.NewConfig()
	config.Clusters[name] = &api.Cluster{Server: "https://" + net.JoinHostPort(host, port), CertificateAuthority: ca}
	config.AuthInfos[name] = &api.AuthInfo{TokenFile: token}
	config.Contexts[name] = &api.Context{Cluster: name, AuthInfo: name}
	config.CurrentContext = name
	return config, nil
}
