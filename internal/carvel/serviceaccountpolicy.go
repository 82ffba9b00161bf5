package carvel

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The resources of an admission policy, which Kubernetes has from 1.30 on.
var (
	AdmissionPolicies = schema.GroupVersionResource{
		Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicies",
	}
	AdmissionPolicyBindings = schema.GroupVersionResource{
		Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicybindings",
	}
)

// ServiceAccountPolicyName is that of the policy, and of its binding, for a
// ServiceAccount: both are of the whole cluster.
func ServiceAccountPolicyName(namespace, serviceAccount string) string {
	sum := sha256.Sum256([]byte(namespace + "/" + serviceAccount))
	return "carvel-run-namespace-" + namespace + "-" + hex.EncodeToString(sum[:])[:12]
}

// What the policy looks at: Secrets, in which Kubernetes makes a token for the
// ServiceAccount that they name; what kapp-controller deploys as the ServiceAccount
// that it names; and what has Pods.
var (
	delegates = []string{"packageinstalls", "apps"}
	policed   = []struct{ group, version, resources string }{
		{"", "v1", "secrets pods replicationcontrollers"},
		{"apps", "v1", "deployments statefulsets daemonsets replicasets"},
		{"batch", "v1", "jobs cronjobs"},
		{PackageInstalls.Group, PackageInstalls.Version, "packageinstalls"},
		{Apps.Group, Apps.Version, "apps"},
	}
)

// serviceAccountPolicy keeps a ServiceAccount from acting as another one of its
// namespace, but for those that are allowed.
func serviceAccountPolicy(s RunNamespaceSpec) []*unstructured.Unstructured {
	name := ServiceAccountPolicyName(s.Name, s.ServiceAccountName)
	policy := object(AdmissionPolicies, "ValidatingAdmissionPolicy", "", name, managedBy(), nil)
	rules := make([]any, len(policed))
	for i, p := range policed {
		rules[i] = map[string]any{
			"apiGroups": []any{p.group}, "apiVersions": []any{p.version}, "operations": []any{"CREATE", "UPDATE"},
			"resources": anySlice(strings.Fields(p.resources)), "scope": "Namespaced",
		}
	}
	own, allowed := quoted(s.ServiceAccountName), quoted(slices.Concat([]string{"", "default", s.ServiceAccountName}, s.AllowedServiceAccounts)...)
	policy.Object["spec"] = map[string]any{
		"failurePolicy": "Fail",
		"matchConstraints": map[string]any{
			"matchPolicy":       "Equivalent",
			"namespaceSelector": map[string]any{"matchLabels": map[string]any{"kubernetes.io/metadata.name": s.Name}},
			"objectSelector":    map[string]any{},
			"resourceRules":     rules,
		},
		"matchConditions": []any{map[string]any{
			"name": "service-account", "expression": "request.userInfo.username == " + quoted("system:serviceaccount:"+s.Name+":"+s.ServiceAccountName),
		}},
		"variables": []any{
			map[string]any{"name": "kind", "expression": "request.resource.resource"},
			map[string]any{"name": "pod", "expression": "variables.kind == 'pods' ? object.spec : " +
				"variables.kind == 'cronjobs' ? object.spec.jobTemplate.spec.template.spec : object.spec.template.spec"},
		},
		"validations": []any{
			admissionRule("variables.kind != 'secrets' || !has(object.type) || object.type != 'kubernetes.io/service-account-token'",
				"ServiceAccount %s may not have a token made for a ServiceAccount", s),
			admissionRule("!(variables.kind in ["+quoted(delegates...)+"]) || !has(object.spec.serviceAccountName) || object.spec.serviceAccountName in ['', "+own+"]",
				"ServiceAccount %s may have nothing deployed as another ServiceAccount", s),
			admissionRule("variables.kind in ["+quoted(append([]string{"secrets"}, delegates...)...)+"] || !has(variables.pod.serviceAccountName) || "+
				"variables.pod.serviceAccountName in ["+allowed+"]",
				"ServiceAccount %s may run Pods only as itself, as default, or as one that restrict_service_accounts allows", s),
		},
	}
	binding := object(AdmissionPolicyBindings, "ValidatingAdmissionPolicyBinding", "", name, managedBy(), nil)
	binding.Object["spec"] = map[string]any{"policyName": name, "validationActions": []any{"Deny"}}
	return []*unstructured.Unstructured{policy, binding}
}

func admissionRule(expression, message string, s RunNamespaceSpec) map[string]any {
	return map[string]any{"expression": expression, "message": fmt.Sprintf(message, s.ServiceAccountName) + ".", "reason": "Forbidden"}
}

// quoted are names of objects as literals of CEL, which need no escapes.
func quoted(names ...string) string { return "'" + strings.Join(names, "', '") + "'" }

// AllowedServiceAccounts are those that a policy allows besides its own; restricted
// is false if there is no policy.
func AllowedServiceAccounts(policy *unstructured.Unstructured, serviceAccount string) (allowed []string, restricted bool) {
	if policy == nil {
		return nil, false
	}
	validations, _, err := unstructured.NestedSlice(policy.Object, "spec", "validations")
	if err != nil || len(validations) == 0 {
		return nil, true
	}
	last, _ := validations[len(validations)-1].(map[string]any)
	expression, _ := last["expression"].(string)
	_, list, _ := strings.Cut(expression, "variables.pod.serviceAccountName in ['")
	list, found := strings.CutSuffix(list, "']")
	if !found {
		return nil, true
	}
	for name := range strings.SplitSeq(list, "', '") {
		if !slices.Contains([]string{"", "default", serviceAccount}, name) {
			allowed = append(allowed, name)
		}
	}
	return allowed, true
}
