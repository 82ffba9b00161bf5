package standin_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/sops"
)

// A file whose name ends in .sops.yaml is decrypted with the keys of a Secret beside the
// App. What kapp leaves on the run cluster is in clear text.
func TestAccStandIn_sops(t *testing.T) {
	f := newFlow(t)
	ours, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	encrypted, err := sops.Encrypt([]byte(params("workload_name: app\nhostname: secret.example.com")), []string{ours.Recipient().String()}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	files := f.files(oldVersion)
	files["staging/params.sops.yaml"] = string(encrypted)
	delete(files, "staging/params.yaml")
	commit := f.commit(files)
	keys := func(identities ...*age.X25519Identity) {
		t.Helper()
		entries := make([]string, len(identities))
		for i, identity := range identities {
			entries[i] = fmt.Sprintf("key-%d.txt: %s", i, identity)
		}
		f.build.apply(secrets, "{apiVersion: v1, kind: Secret, metadata: {name: age-key}, stringData: {"+strings.Join(entries, ", ")+"}}")
	}
	keys(other)
	app := strings.Replace(f.app(f.staging), "template: [{ytt: {}}]", "template: [{sops: {age: {privateKeysSecretRef: {name: age-key}}}}, {ytt: {}}]", 1)
	f.build.apply(apps, app)
	failed := f.build.until(apps, "app-staging", "failed", seen.failed)
	wantText(t, failed.useful(), "sops: file '1/params.sops.yaml'", "none of the identities is a recipient")
	if _, message := failed.condition(); message != "Templating dir: Error (see .status.usefulErrorMessage for details)" {
		t.Errorf("condition message: %s", message)
	}

	keys(other, ours)
	f.delivered(f.staging, commit, oldVersion)
	if got := f.staging.get(configMaps, "app").str("data", "hostname"); got != "secret.example.com" {
		t.Errorf("the workload's hostname is %q", got)
	}
	wantText(t, f.staging.get(secrets, "app-values").GetAnnotations()["kapp.k14s.io/original"], "secret.example.com")
	status := fmt.Sprint(f.build.get(apps, "app-staging").Object["status"])
	for _, canary := range []string{"secret.example.com", ours.String()} {
		if strings.Contains(status, canary) {
			t.Errorf("the status holds %s", canary)
		}
	}
}
