package delivery

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// TestUpdateAppReceipt: if a step after the App was written fails, the receipt
// says what was written, and that the step is still to be done.
func TestUpdateAppReceipt(t *testing.T) {
	const apps, secrets = "/apis/kappctrl.k14s.io/v1alpha1/namespaces/dev/apps", "/api/v1/namespaces/dev/secrets/"
	a := App{
		AppSpec: carvel.AppSpec{
			Namespace: "dev", Name: "app", ServiceAccountName: "sa",
			Fetch: []carvel.Fetch{{Git: &carvel.GitFetch{URL: "https://git.example.com/a.git", Ref: "origin/main"}}},
		},
		UID:        "u",
		ForCluster: ForCluster{Manager: cluster.Manager{Name: "test"}, Hold: Hold{Creation: "1"}},
	}
	before := a
	before.Secrets = []AppSecret{{Name: "old"}}
	live, err := carvel.App(a.AppSpec)
	if err != nil {
		t.Fatal(err)
	}
	live.SetUID("u")
	mark := carvel.Mark{Creation: "1", Owner: "me", Resource: a.resource()}
	secret := mark.On(carvel.CredentialSecret("dev", "old", map[string][]byte{"username": []byte("ci")}))
	build := &api{
		objects: map[string]*unstructured.Unstructured{apps + "/app": mark.On(live), secrets + "old": secret},
		status:  map[string]int{"DELETE " + secrets + "old": 403},
	}
	d := New(Config{Build: build.cluster(t, "build_cluster"), Owner: "me"})
	r, err := d.Apps.Update(t.Context(), before, a)
	if err == nil || r.Creation != "1" || r.UID != "u" || r.Object == "" || !r.Undone {
		t.Errorf("got %+v, %v", r, err)
	}
	if !build.sent("PATCH "+apps+"/app") || !build.sent("DELETE "+secrets+"old") {
		t.Errorf("requests: %v", build.requests)
	}
}
