package standin

import (
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/yaml"
)

// kubeconfigFile lists all that the controller keeps of a kubeconfig. Whatever else the
// file has, such as exec, tokenFile and paths of certificates, is dropped without a word.
type kubeconfigFile struct {
	CurrentContext string `json:"current-context"`
	Clusters       []struct {
		Name    string `json:"name"`
		Cluster struct {
			Server                   string `json:"server"`
			TLSServerName            string `json:"tls-server-name"`
			InsecureSkipTLSVerify    bool   `json:"insecure-skip-tls-verify"`
			CertificateAuthorityData []byte `json:"certificate-authority-data"`
			ProxyURL                 string `json:"proxy-url"`
		} `json:"cluster"`
	} `json:"clusters"`
	Users []struct {
		Name string `json:"name"`
		User struct {
			ClientCertificateData []byte              `json:"client-certificate-data"`
			ClientKeyData         []byte              `json:"client-key-data"`
			Token                 string              `json:"token"`
			Impersonate           string              `json:"as"`
			ImpersonateGroups     []string            `json:"as-groups"`
			ImpersonateUserExtra  map[string][]string `json:"as-user-extra"`
			Username              string              `json:"username"`
			Password              string              `json:"password"`
			AuthProvider          *struct {
				Name   string            `json:"name"`
				Config map[string]string `json:"config"`
			} `json:"auth-provider"`
		} `json:"user"`
	} `json:"users"`
	Contexts []struct {
		Name    string `json:"name"`
		Context struct {
			Cluster   string `json:"cluster"`
			User      string `json:"user"`
			Namespace string `json:"namespace"`
		} `json:"context"`
	} `json:"contexts"`
}

// restricted reads a kubeconfig and keeps what the controller keeps.
func restricted(content []byte) (*clientcmdapi.Config, error) {
	var file kubeconfigFile
	if err := yaml.Unmarshal(content, &file); err != nil {
		return nil, err
	}
	if len(file.Clusters) == 0 {
		return nil, said("Expected to find at least one cluster")
	}
	config := clientcmdapi.NewConfig()
	config.CurrentContext = file.CurrentContext
	for _, c := range file.Clusters {
		config.Clusters[c.Name] = &clientcmdapi.Cluster{
			Server: c.Cluster.Server, TLSServerName: c.Cluster.TLSServerName, ProxyURL: c.Cluster.ProxyURL,
			InsecureSkipTLSVerify: c.Cluster.InsecureSkipTLSVerify, CertificateAuthorityData: c.Cluster.CertificateAuthorityData,
		}
	}
	for _, u := range file.Users {
		user := &clientcmdapi.AuthInfo{
			ClientCertificateData: u.User.ClientCertificateData, ClientKeyData: u.User.ClientKeyData,
			Token: u.User.Token, Username: u.User.Username, Password: u.User.Password,
			Impersonate: u.User.Impersonate, ImpersonateGroups: u.User.ImpersonateGroups, ImpersonateUserExtra: u.User.ImpersonateUserExtra,
		}
		if p := u.User.AuthProvider; p != nil {
			user.AuthProvider = &clientcmdapi.AuthProviderConfig{Name: p.Name, Config: p.Config}
		}
		config.AuthInfos[u.Name] = user
	}
	for _, c := range file.Contexts {
		config.Contexts[c.Name] = &clientcmdapi.Context{Cluster: c.Context.Cluster, AuthInfo: c.Context.User, Namespace: c.Context.Namespace}
	}
	return config, nil
}
