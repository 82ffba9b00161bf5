package carvel_test

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// TestAllowedServiceAccounts: what a policy allows is read back from it.
func TestAllowedServiceAccounts(t *testing.T) {
	for _, allowed := range [][]string{nil, {"friend"}, {"a", "b.c"}} {
		s := carvel.RunNamespaceSpec{Name: "apps", ServiceAccountName: "apps-sa", Restricted: true, AllowedServiceAccounts: allowed}
		objects := carvel.RunNamespace(s)
		at := slices.IndexFunc(objects, func(o *unstructured.Unstructured) bool { return o.GetKind() == "ValidatingAdmissionPolicy" })
		if at < 0 || at > slices.IndexFunc(objects, func(o *unstructured.Unstructured) bool { return o.GetKind() == "RoleBinding" }) {
			t.Fatalf("the policy is at %d, to be applied before a right is granted", at)
		}
		if name := objects[at].GetName(); name != carvel.ServiceAccountPolicyName("apps", "apps-sa") || objects[at].GetNamespace() != "" {
			t.Errorf("it is called %s", name)
		}
		if got, restricted := carvel.AllowedServiceAccounts(objects[at], "apps-sa"); !restricted || !slices.Equal(got, allowed) {
			t.Errorf("%v became %v", allowed, got)
		}
	}
	if _, restricted := carvel.AllowedServiceAccounts(nil, "apps-sa"); restricted {
		t.Error("restricted without a policy")
	}
	if a, b := carvel.ServiceAccountPolicyName("a", "b"), carvel.ServiceAccountPolicyName("a-b", ""); a == b {
		t.Errorf("%s twice", a)
	}
	if name := carvel.ServiceAccountPolicyName(strings.Repeat("n", 63), strings.Repeat("s", 253)); len(name) > 253 {
		t.Errorf("a name of %d characters", len(name))
	}
}
