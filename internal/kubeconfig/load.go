package kubeconfig

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/yaml"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/credential"
)

var atLine = regexp.MustCompile(`\byaml: line (\d+):`)

// load reads a kubeconfig, and says what is wrong with one that cannot be read. The
// parser's own words may quote a secret.
func load(data []byte) (*api.Config, error) {
	config, err := clientcmd.Load(data)
	if err == nil {
		return config, nil
	}
	const not = "not a kubeconfig: it cannot be read as the YAML of kind Config"
	if left := credential.Unfilled(string(data)); left != nil {
		return nil, &PortabilityError{[]Finding{{Text: "it cannot be read as the YAML of kind Config, and " + left.Error()}}}
	}
	if line := atLine.FindStringSubmatch(err.Error()); line != nil {
		return nil, fmt.Errorf("%s, whose line %s is no YAML", not, line[1])
	}
	if field := notBase64(data); field != "" {
		return nil, &PortabilityError{[]Finding{{Text: field + " is not in base64, in which a kubeconfig has it: use base64encode(...) for it"}}}
	}
	return nil, errors.New(not)
}

// notBase64 is the field of a kubeconfig that should be in base64 and is not, "" if
// that is not what is wrong.
func notBase64(data []byte) string {
	var raw struct {
		Clusters []struct {
			Cluster map[string]any `json:"cluster"`
		} `json:"clusters"`
		Users []struct {
			User map[string]any `json:"user"`
		} `json:"users"`
	}
	if yaml.Unmarshal(data, &raw) != nil {
		return ""
	}
	bad := func(fields map[string]any, names ...string) string {
		for _, name := range names {
			text, ok := fields[name].(string)
			if _, err := base64.StdEncoding.DecodeString(text); ok && err != nil {
				return name
			}
		}
		return ""
	}
	for _, c := range raw.Clusters {
		if name := bad(c.Cluster, authorityData); name != "" {
			return name
		}
	}
	for _, u := range raw.Users {
		if name := bad(u.User, certificateData, keyData); name != "" {
			return name
		}
	}
	return ""
}
