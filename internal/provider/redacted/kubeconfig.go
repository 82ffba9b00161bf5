package redacted

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/redact"
)

// kubeconfigSecrets are the secrets in a kubeconfig: tokens, passwords, client
// keys, passwords of proxies, and what a plugin's environment has under the name
// of a secret. ok is false for a text that is no kubeconfig.
func kubeconfigSecrets(text string) (secrets []string, ok bool) {
	if !strings.Contains(text, "clusters") && !strings.Contains(text, "users") {
		return nil, false
	}
	config, err := clientcmd.Load([]byte(text))
	if err != nil || len(config.AuthInfos)+len(config.Clusters) == 0 {
		return nil, false
	}
	for _, user := range config.AuthInfos {
		secrets = append(secrets, user.Token, user.Password, string(user.ClientKeyData))
		if user.AuthProvider != nil {
			secrets = slices.AppendSeq(secrets, maps.Values(user.AuthProvider.Config))
		}
		if user.Exec != nil {
			for _, variable := range user.Exec.Env {
				secrets = append(secrets, Variable(variable.Name, variable.Value)...)
			}
		}
	}
	for _, cluster := range config.Clusters {
		secrets = append(secrets, redact.URLPasswords(cluster.ProxyURL)...)
	}
	return secrets, true
}

var namesSecret = regexp.MustCompile(`(?i)token|secret|passw|key|credential|auth`)

// Variable is the value of an environment variable that by its name holds a
// secret; others, such as a region, are in addresses that a message has to show.
func Variable(name, value string) []string {
	if !namesSecret.MatchString(name) {
		return nil
	}
	return []string{value}
}
