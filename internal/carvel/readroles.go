package carvel

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// BoundServiceAccount is the ServiceAccount that a RoleBinding grants its Role
// to, "" if it grants it to none or to more than one.
func BoundServiceAccount(binding *unstructured.Unstructured) string {
	if binding == nil {
		return ""
	}
	subjects, _, err := unstructured.NestedSlice(binding.Object, "subjects")
	if err != nil || len(subjects) != 1 {
		return ""
	}
	subject, ok := subjects[0].(map[string]any)
	if !ok || subject["kind"] != "ServiceAccount" {
		return ""
	}
	name, _ := subject["name"].(string)
	return name
}

// ImagePullSecrets are the names of a ServiceAccount's image pull secrets; nil
// is no account.
func ImagePullSecrets(account *unstructured.Unstructured) []string {
	if account == nil {
		return nil
	}
	secrets, _, err := unstructured.NestedSlice(account.Object, "imagePullSecrets")
	if err != nil {
		return nil // not written by an API server
	}
	var names []string
	for _, s := range secrets {
		if secret, ok := s.(map[string]any); ok {
			if name, ok := secret["name"].(string); ok {
				names = append(names, name)
			}
		}
	}
	return names
}

// RoleRules are the rules of a Role; nil is no Role.
func RoleRules(role *unstructured.Unstructured) ([]Rule, error) {
	if role == nil {
		return nil, nil
	}
	var read struct {
		Rules []struct {
			APIGroups     []string `json:"apiGroups"`
			Resources     []string `json:"resources"`
			Verbs         []string `json:"verbs"`
			ResourceNames []string `json:"resourceNames"`
		} `json:"rules"`
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(role.Object, &read); err != nil {
		return nil, err
	}
	rules := make([]Rule, len(read.Rules))
	for i, r := range read.Rules {
		rules[i] = Rule{Groups: r.APIGroups, Resources: r.Resources, Verbs: r.Verbs, Names: r.ResourceNames}
	}
	return rules, nil
}
