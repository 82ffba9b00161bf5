package standin_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestAccStandIn_badValues(t *testing.T) {
	f := newFlow(t)
	files := f.files(oldVersion)
	files["staging/params.yaml"] = params("workload_name: app\nbogus_key: 1")
	f.commit(files)
	f.build.apply(apps, f.app(f.staging))
	failed := f.build.until(apps, "app-staging", "failed over the values", func(o seen) bool {
		return o.failed() && strings.Contains(o.useful(), "bogus_key")
	})
	wantText(t, failed.useful(), "kapp: Error: waiting on reconcile packageinstall/app", "Given data value is not declared in schema",
		"found: bogus_key", "expected: one of { hostname, replicas, workload_name }")
	if _, message := failed.condition(); message != "Deploying: Error (see .status.usefulErrorMessage for details)" {
		t.Errorf("condition message: %s", message)
	}
	pkgi := f.staging.until(installs, "app", "failed", seen.failed)
	if got := pkgi.str("status", "friendlyDescription"); got != "Reconcile failed: Error (see .status.usefulErrorMessage for details)" {
		t.Errorf("friendlyDescription: %s", got)
	}

	// The fix changes only the Secret. kapp first reads the failure of before (trap 2);
	// a later try then succeeds.
	commit := f.commit(map[string]string{"staging/params.yaml": params("workload_name: app\nreplicas: two")})
	f.build.kick(apps, "app-staging")
	f.staging.until(installs, "app", "failed for another reason", func(o seen) bool {
		return o.failed() && strings.Contains(o.useful(), "found: string")
	})
	f.build.until(apps, "app-staging", "failed", func(o seen) bool {
		return o.failed() && f.runs(o, commit) && strings.Contains(o.useful(), "expected: integer")
	})
	commit = f.commit(map[string]string{"staging/params.yaml": params(goodValues)})
	f.build.kick(apps, "app-staging")
	f.delivered(f.staging, commit, oldVersion)
}

// A change of the values alone is a success before the workload has it, and one even
// if the values are bad; the failure shows at the next run.
func TestAccStandIn_secretOnlyChange(t *testing.T) {
	f := newFlow(t)
	f.build.apply(apps, strings.Replace(f.app(f.staging), "spec:\n", "spec:\n  syncPeriod: 1h0m0s\n", 1))
	commit := f.commit(f.files(oldVersion))
	f.build.kick(apps, "app-staging")
	f.delivered(f.staging, commit, oldVersion)

	commit = f.commit(map[string]string{"staging/params.yaml": params("bogus_key: 1")})
	f.build.kick(apps, "app-staging")
	f.build.until(apps, "app-staging", "a false success", func(o seen) bool { return o.succeeded() && f.runs(o, commit) })
	f.staging.until(installs, "app", "failed", seen.failed)
	f.build.kick(apps, "app-staging")
	failed := f.build.until(apps, "app-staging", "failed", func(o seen) bool { return o.failed() && f.runs(o, commit) })
	wantText(t, failed.useful(), "Given data value is not declared in schema", "found: bogus_key")
}

func TestAccStandIn_versionNotThere(t *testing.T) {
	f := newFlow(t)
	f.commit(f.files(">=30000000000000.0.0"))
	f.build.apply(apps, f.app(f.staging))
	text := "Expected to find at least one version, but did not (details: all=1 -> after-prereleases-filter=1 -> after-kapp-controller-version-check=1 -> after-constraints-filter=0)"
	failed := f.build.until(apps, "app-staging", "failed over the version", func(o seen) bool {
		return o.failed() && strings.Contains(o.useful(), "at least one version")
	})
	wantText(t, failed.useful(), "Finished unsuccessfully (Reconcile failed: (message: "+text)
	pkgi := f.staging.get(installs, "app")
	if _, message := pkgi.condition(); message != text || pkgi.useful() != "" {
		t.Errorf("condition %q, useful message %q", message, pkgi.useful())
	}
	if got := pkgi.str("status", "friendlyDescription"); len(got) != 83 || !strings.HasSuffix(got, "...") {
		t.Errorf("friendlyDescription: %q", got)
	}
	f.commit(map[string]string{"staging/packageinstall.yaml": f.install(f.staging, "not a version", "")})
	f.build.kick(apps, "app-staging")
	f.staging.until(installs, "app", "refused", func(o seen) bool {
		_, message := o.condition()
		return message == `Selecting versions: Parsing version constraint 'not a version': Could not get version from string: "not"`
	})
	f.commit(map[string]string{"packages/.gitkeep": " ", "packages/" + oldVersion + ".yaml": ""})
	f.build.kick(apps, "app-staging")
	f.staging.until(installs, "app", "without its Package", func(o seen) bool {
		_, message := o.condition()
		return message == "Package "+f.pkg+" not found"
	})
}

// fetchFailures are Apps that never get as far as a finalizer.
func TestAccStandIn_fetchFailures(t *testing.T) {
	f := newFlow(t)
	older := f.commit(f.files(oldVersion))
	f.commit(map[string]string{"staging/.gitkeep": "kept"})
	f.build.apply(secrets, "{apiVersion: v1, kind: Secret, metadata: {name: flux}, stringData: {identity: x, username: me}}")
	f.build.apply(secrets, "{apiVersion: v1, kind: Secret, metadata: {name: wrong}, stringData: {username: nobody, password: not-the-password}}")
	for name, c := range map[string]struct {
		from, to string
		want     []string
	}{
		"nosuch-path": {f.pkg + "/staging", f.pkg + "/nosuch", []string{
			"vendir: Error: Syncing directory '1': Changing to new root path '.': Expected directory '" + f.pkg + "/nosuch' (subpath) to exist (found other directories: ",
		}},
		"outside": {f.pkg + "/staging", "../x", []string{"Invalid path: ../x"}},
		"nosuch-branch": {"origin/main", "origin/nosuch", []string{
			"Git [fetch origin nosuch --depth 1]: exit status 128 (stderr: fatal: couldn't find remote ref nosuch",
		}},
		"nosuch-ref": {"origin/main", "nosuch", []string{"pathspec 'nosuch' did not match"}},
		"full-ref":   {"origin/main", "refs/heads/main", []string{"pathspec 'refs/heads/main' did not match"}},
		"older":      {"origin/main", older, []string{"reference is not a tree: " + older}},
		"plain-http": {"https://", "http://", []string{"Username/password authentication is only supported for https remotes"}},
		"no-ref":     {"ref: origin/main,", "", []string{"Expected either ref or ref selection to be specified"}},
		"flux":       {"name: git-creds", "name: flux", []string{"Unknown secret field 'identity' in secret 'flux'"}},
		"wrong":      {"name: git-creds", "name: wrong", []string{"fatal: Authentication failed for"}},
		"no-creds":   {", secretRef: {name: git-creds}", "", []string{"could not read Username", "terminal prompts disabled"}},
		"no-secret":  {"name: git-creds", "name: nosuch", []string{`secrets "nosuch" not found`}},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.ReplaceAll(f.app(f.staging), c.from, c.to)
			f.build.apply(apps, strings.Replace(text, "app-staging", name, 1))
			failed := f.build.until(apps, name, "failed", seen.failed)
			wantText(t, failed.useful(), c.want...)
			if _, message := failed.condition(); message != "Fetching resources: Error (see .status.usefulErrorMessage for details)" {
				t.Errorf("condition message: %s", message)
			}
			if failed.str("status", "fetch", "exitCode") != "1" || failed.str("status", "deploy") != "" || len(failed.GetFinalizers()) != 0 {
				t.Errorf("status: %v, finalizers: %v", failed.Object["status"], failed.GetFinalizers())
			}
			for _, secret := range []string{f.lab.Git.Password, "not-the-password"} {
				if strings.Contains(fmt.Sprint(failed.Object["status"]), secret) {
					t.Error("the status holds a password")
				}
			}
			f.build.delete(apps, name)
			f.build.untilGone(apps, name)
		})
	}
}

// refs that work, by the commit that they fetch.
func TestAccStandIn_refs(t *testing.T) {
	f := newFlow(t)
	files := f.files(oldVersion)
	files["staging/packageinstall.yaml"], files["staging/params.yaml"], files["staging/.gitkeep"] = "", "", "kept"
	delete(files, "staging/packageinstall.yaml")
	delete(files, "staging/params.yaml")
	f.commit(files)
	tag, branch := f.name+"-v1", "feature/"+f.name
	f.git(f.clone, "tag", tag)
	f.git(f.clone, "push", "--quiet", "origin", tag, "HEAD:refs/heads/"+branch)
	commit := f.git(f.clone, "rev-parse", "HEAD")
	for i, ref := range []string{branch, "origin/" + branch, tag, "origin/" + tag, commit, "origin/" + commit} {
		name := fmt.Sprintf("ref-%d", i)
		path := []string{"", "/", "./"}[i%3] + f.pkg + "/staging"
		f.build.apply(apps, fmt.Sprintf(`
apiVersion: kappctrl.k14s.io/v1alpha1
kind: App
metadata: {name: %s}
spec:
  cluster: {namespace: %s, kubeconfigSecretRef: {name: staging-kubeconfig}}
  fetch: [{git: {url: %q, ref: %q, subPath: %q, secretRef: {name: git-creds}}}]
  template: [{ytt: {}}]
  deploy: [{kapp: {rawOptions: ["--dangerous-allow-empty-list-of-resources=true"]}}]`, name, f.staging.ns, f.lab.Git.URL, ref, path))
		app := f.build.until(apps, name, "reconciled", func(o seen) bool { return o.succeeded() || o.failed() })
		if !app.succeeded() || !f.runs(app, commit) {
			t.Errorf("ref %s: %v", ref, app.Object["status"])
		}
		wantText(t, app.str("status", "fetch", "stdout"), "kind: LockConfig", "commitTitle: Change "+f.pkg, `path: "0"`, "- "+tag)
	}
}

func TestAccStandIn_kubeconfigFailures(t *testing.T) {
	f := newFlow(t)
	f.commit(f.files(oldVersion))
	f.putKubeconfig(f.prod, "value.yaml")
	f.build.apply(secrets, "{apiVersion: v1, kind: Secret, metadata: {name: garbage}, stringData: {value: nonsense}}")
	for name, c := range map[string]struct{ secret, want string }{
		"key":     {"prod-kubeconfig", "Preparing kapp: Expected to find key 'value' in secret (keys: value.yaml)"},
		"missing": {"nosuch", `Preparing kapp: Getting kubeconfig secret: secrets "nosuch" not found`},
		"garbage": {"garbage", "Preparing kapp: Parsing kubeconfig: error unmarshaling JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(f.app(f.prod), "prod-kubeconfig", c.secret, 1)
			f.build.apply(apps, strings.Replace(text, "app-prod", name, 1))
			failed := f.build.until(apps, name, "failed", seen.failed)
			_, message := failed.condition()
			wantText(t, message, c.want)
			wantText(t, failed.useful(), c.want)
			if failed.str("status", "deploy", "exitCode") != "-1" || len(failed.GetFinalizers()) != 1 {
				t.Errorf("status: %v, finalizers: %v", failed.Object["status"], failed.GetFinalizers())
			}
		})
	}
	for name, c := range map[string]struct{ from, to, want string }{
		"expired": {"token: ", "token: x", "kapp: Error: Getting app: Unauthorized"},
		"exec":    {"token: ", "exec: {apiVersion: client.authentication.k8s.io/v1, command: get-token}, unknown: ", `User "system:anonymous" cannot get`},
	} {
		f.build.apply(secrets, fmt.Sprintf("{apiVersion: v1, kind: Secret, metadata: {name: %s}, stringData: {value: %q}}",
			name, strings.Replace(f.prod.kubeconfig(), c.from, c.to, 1)))
		text := strings.Replace(f.app(f.prod), "prod-kubeconfig", name, 1)
		f.build.apply(apps, strings.Replace(text, "app-prod", name, 1))
		wantText(t, f.build.until(apps, name, "failed", seen.failed).useful(), c.want)
	}
	// The Secret is not watched, but read at the next try.
	f.putKubeconfig(f.prod, "value")
	f.build.until(apps, "key", "delivered", seen.succeeded)
}

func TestAccStandIn_missingRights(t *testing.T) {
	f := newFlow(t)
	f.commit(f.files(oldVersion))
	for _, name := range []string{"app-cr-role", "app-package-and-pkgi-install-role", "pods"} {
		f.staging.delete(bindings, name)
	}
	f.build.apply(apps, f.app(f.staging))
	text := fmt.Sprintf(`is forbidden: User "system:serviceaccount:%s:%s" cannot get resource "configmaps" in API group "" in the namespace "%s"`,
		f.staging.ns, f.staging.account(), f.staging.ns)
	failed := f.build.until(apps, "app-staging", "failed", seen.failed)
	wantText(t, failed.useful(), `kapp: Error: Getting app: configmaps "app-staging.app.apps.k14s.io" `+text)

	// The first Role alone is not enough; both are, without the right to see pods.
	bind := func(name string) {
		f.staging.apply(bindings, fmt.Sprintf(`
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: %[1]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: %[1]s}
subjects: [{kind: ServiceAccount, name: %[2]s, namespace: %[3]s}]`, name, f.staging.account(), f.staging.ns))
	}
	bind("app-package-and-pkgi-install-role")
	f.build.kick(apps, "app-staging")
	f.build.until(apps, "app-staging", "failed again", func(o seen) bool { return o.failed() && strings.Contains(o.useful(), text) })
	film := f.build.film(apps, "app-staging")
	bind("app-cr-role")
	f.build.kick(apps, "app-staging")
	var output strings.Builder
	for _, o := range film.until("delivered", seen.succeeded) {
		output.WriteString(o.str("status", "deploy", "stdout"))
	}
	wantText(t, output.String(), "Pod watching error: pods is forbidden")

	f.build.apply(apps, strings.Replace(strings.Replace(f.app(f.staging), "intoNs: "+f.staging.ns, "intoNs: default", 1), "app-staging", "elsewhere", 1))
	failed = f.build.until(apps, "elsewhere", "failed", seen.failed)
	wantText(t, failed.useful(), "kapp: Error: Checking existence of resource", `in the namespace "default"`)
}

func TestAccStandIn_badYAML(t *testing.T) {
	f := newFlow(t)
	files := f.files(oldVersion)
	files["staging/packageinstall.yaml"] = strings.Replace(files["staging/packageinstall.yaml"], `"`+oldVersion+`"`, ">=0.0.0", 1)
	f.commit(files)
	f.build.apply(apps, f.app(f.staging))
	failed := f.build.until(apps, "app-staging", "failed", seen.failed)
	wantText(t, failed.useful(), "ytt: Error: Unmarshaling YAML template '1/packageinstall.yaml': yaml: line 11: did not find expected comment or line break")
	if _, message := failed.condition(); message != "Templating dir: Error (see .status.usefulErrorMessage for details)" {
		t.Errorf("condition message: %s", message)
	}
}
