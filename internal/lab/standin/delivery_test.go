package standin_test

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const (
	oldVersion = "20230321004057.0.0"
	newVersion = "20230402120000.0.0"
)

// packageFile is a Package that deploys a Deployment and a ConfigMap from its values.
func (f *flow) packageFile(version string) string {
	return strings.NewReplacer("NAME", f.pkg, "VERSION", version).Replace(`apiVersion: data.packaging.carvel.dev/v1alpha1
kind: Package
metadata:
  name: NAME.VERSION
spec:
  refName: NAME
  version: VERSION
  template:
    spec:
      fetch:
      - inline:
          paths:
            schema.yaml: |
              #@data/values-schema
              ---
              workload_name: ""
              replicas: 1
              hostname: ""
            config.yaml: |
              #@ load("@ytt:data", "data")
              ---
              apiVersion: v1
              kind: ConfigMap
              metadata:
                name: #@ data.values.workload_name
              data:
                version: "VERSION"
                hostname: #@ data.values.hostname
              ---
              apiVersion: apps/v1
              kind: Deployment
              metadata:
                name: #@ data.values.workload_name
              spec:
                replicas: #@ data.values.replicas
                selector: {matchLabels: {app: web}}
                template:
                  metadata: {labels: {app: web}}
                  spec: {containers: [{name: web, image: "web:VERSION"}]}
      template:
      - ytt: {}
      deploy:
      - kapp: {}
`)
}

// install is the documented packageinstall.yaml, with its comments.
func (f *flow) install(s *site, constraint, annotations string) string {
	if annotations != "" {
		annotations = "\n  annotations: {" + annotations + "}"
	}
	return fmt.Sprintf(`---
apiVersion: packaging.carvel.dev/v1alpha1
kind: PackageInstall
metadata:
  name: app%s
spec:
  serviceAccountName: %s # ServiceAccount on run cluster with permissions to deploy Package, see "Set up run Cluster Namespaces"
  packageRef:
    refName: %s # name of the Package
    versionSelection:
      constraints: %q # version of the Package
  values:
  - secretRef:
      name: app-values # Secret created in previous step
`, annotations, s.account(), f.pkg, constraint)
}

func params(values string) string {
	return "---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: app-values\nstringData:\n  values.yaml: |\n    ---\n    " +
		strings.ReplaceAll(values, "\n", "\n    ") + "\n"
}

const goodValues = "workload_name: app\nreplicas: 2\nhostname: app.mycompany.com"

// files are the first commit: one version, for both run clusters.
func (f *flow) files(constraint string) map[string]string {
	return map[string]string{
		"packages/" + oldVersion + ".yaml": f.packageFile(oldVersion),
		"staging/packageinstall.yaml":      f.install(f.staging, constraint, ""),
		"staging/params.yaml":              params(goodValues),
		"prod/packageinstall.yaml":         f.install(f.prod, constraint, ""),
		"prod/params.yaml":                 params(goodValues),
	}
}

// delivered waits until the App and the PackageInstall on its run cluster have
// succeeded, at a commit and a version.
func (f *flow) delivered(s *site, commit, version string) {
	f.t.Helper()
	f.build.until(apps, "app-"+s.name, "delivered", func(o seen) bool { return o.succeeded() && f.runs(o, commit) })
	s.until(installs, "app", "at version "+version, func(o seen) bool { return o.succeeded() && o.str("status", "version") == version })
	s.until(apps, "app", "at version "+version, func(o seen) bool {
		return o.succeeded() && o.GetAnnotations()["packaging.carvel.dev/package-version"] == version
	})
	if got := s.get(configMaps, "app").str("data", "version"); got != version {
		f.t.Errorf("the workload on %s has version %s, want %s", s.name, got, version)
	}
}

func TestAccStandIn_delivery(t *testing.T) {
	f := newFlow(t)
	commit := f.commit(f.files(oldVersion))
	for _, s := range []*site{f.staging, f.prod} {
		film := f.build.film(apps, "app-"+s.name)
		f.build.apply(apps, f.app(s))
		var output strings.Builder
		for _, o := range film.until("delivered", seen.succeeded) {
			output.WriteString(o.str("status", "deploy", "stdout"))
		}
		wantText(t, output.String(), "Op: 3 create, 0 delete, 0 update, 0 noop", "Succeeded",
			": reconcile packageinstall/app (packaging.carvel.dev/v1alpha1) namespace: "+s.ns)
		f.delivered(s, commit, oldVersion)
		deployment := s.get(deployments, "app")
		if deployment.str("spec", "replicas") != "2" {
			t.Errorf("replicas: %s", deployment.str("spec", "replicas"))
		}
		app := f.build.get(apps, "app-"+s.name)
		if strings.Join(app.GetFinalizers(), " ") != "finalizers.kapp-ctrl.k14s.io/delete" {
			t.Errorf("finalizers: %v", app.GetFinalizers())
		}
		if app.str("status", "friendlyDescription") != "Reconcile succeeded" || app.useful() != "" || app.str("status", "deploy", "exitCode") != "0" {
			t.Errorf("status: %v", app.Object["status"])
		}
		wantText(t, app.str("status", "deploy", "kapp", "associatedResources", "label"), "kapp.k14s.io/app=")
		pkgi := s.get(installs, "app")
		if pkgi.str("status", "lastAttemptedVersion") != oldVersion || pkgi.GetLabels()["kapp.k14s.io/app"] == "" ||
			pkgi.GetAnnotations()["kapp.k14s.io/original"] == "" {
			t.Errorf("package install: %v", pkgi.Object)
		}
		for _, name := range []string{"app-" + s.name + ".app", "app.app"} {
			s.get(configMaps, name)
		}
		inner := s.get(apps, "app")
		if inner.str("spec", "syncPeriod") != "10m0s" || len(inner.GetOwnerReferences()) != 1 {
			t.Errorf("the App of the PackageInstall: %v", inner.Object)
		}
	}

	// A new version, then back, first without leave.
	commit = f.commit(map[string]string{
		"packages/" + newVersion + ".yaml": f.packageFile(newVersion),
		"staging/packageinstall.yaml":      f.install(f.staging, ">=0.0.0", ""),
	})
	f.build.kick(apps, "app-staging")
	f.delivered(f.staging, commit, newVersion)

	f.commit(map[string]string{"staging/packageinstall.yaml": f.install(f.staging, oldVersion, "")})
	f.build.kick(apps, "app-staging")
	stopped := f.staging.until(installs, "app", "stopped", seen.failed)
	wantText(t, stopped.useful(), "Stopped installing matched version '"+oldVersion+"' since last attempted version '"+newVersion+"' is higher.",
		`hint: Add annotation packaging.carvel.dev/downgradable: "" to PackageInstall to proceed with downgrade`)
	if stopped.str("status", "version") != oldVersion || stopped.str("status", "lastAttemptedVersion") != newVersion {
		t.Errorf("status of a stopped downgrade: %v", stopped.Object["status"])
	}
	failed := f.build.until(apps, "app-staging", "failed", seen.failed)
	wantText(t, failed.useful(), "kapp: Error: waiting on reconcile packageinstall/app (packaging.carvel.dev/v1alpha1) namespace: "+f.name,
		"Finished unsuccessfully (Reconcile failed: (message: Stopped installing matched version")

	commit = f.commit(map[string]string{"staging/packageinstall.yaml": f.install(f.staging, oldVersion, `packaging.carvel.dev/downgradable: ""`)})
	f.build.kick(apps, "app-staging")
	f.delivered(f.staging, commit, oldVersion)

	// Deleting the App takes all of it away, and leaves the rest of the namespace.
	f.build.delete(apps, "app-staging")
	f.build.untilGone(apps, "app-staging")
	for _, gone := range []schema.GroupVersionResource{installs, apps, deployments, configMaps} {
		f.staging.untilGone(gone, "app")
	}
	f.staging.untilGone(secrets, "app-values")
	f.staging.untilGone(configMaps, "app-staging.app")
	f.staging.untilGone(configMaps, "app.app")
	left, err := f.staging.in(configMaps).List(t.Context(), metav1.ListOptions{LabelSelector: "kapp.k14s.io/is-app-change"})
	if err != nil || len(left.Items) != 0 {
		t.Errorf("changes left: %v %v", left, err)
	}
	f.staging.get(roles, "app-cr-role")
	f.prod.get(deployments, "app")
}
