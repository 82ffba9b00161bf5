package app_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// delivered is an App that delivers a package, with proxies before the build
// and the run cluster.
func delivered(t *testing.T) (ctx context.Context, d *delivery.Delivery, a delivery.App, build, run *acctest.Proxy) {
	t.Helper()
	t.Parallel()
	e := acctest.New(t)
	e.BuildNamespace()
	repository := e.Repository()
	e.CommitPackages(repository)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	build, run = e.Proxy(e.Lab.Build), e.Proxy(e.Lab.Staging)
	engine, err := gitops.Open(gitops.Config{URL: e.Lab.Git.URL, HTTP: gitops.HTTPAuth{
		Username: e.Lab.Git.Username, Password: e.Lab.Git.Password, CertificateAuthority: file(t, e.Lab.Git.CAFile),
	}})
	if err != nil {
		t.Fatal(err)
	}
	d = delivery.New(delivery.Config{
		Build:      cluster.New("build", "test", cluster.Config{Host: build.URL}),
		Run:        map[string]delivery.Cluster{"staging": cluster.New("staging", "test", cluster.Config{Host: run.URL})},
		Repository: engine, Location: delivery.Location{URL: e.Lab.Git.URL, Branch: gitops.DefaultBranch},
	})
	how := delivery.ForCluster{Manager: cluster.Manager{Name: carvel.ManagedBy}}
	namespace := delivery.RunNamespace{
		Cluster: "staging", ForCluster: how,
		RunNamespaceSpec: carvel.RunNamespaceSpec{Name: e.Name, ServiceAccountName: e.Name + "-sa"},
	}
	made, err := d.Namespaces.Create(ctx, namespace)
	if err != nil {
		t.Fatal(err)
	}
	namespace.Creation = made.Creation
	t.Cleanup(func() {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		if _, err := d.Namespaces.Delete(bounded, namespace, made.UID); err != nil {
			t.Error(err)
		}
	})
	kubeconfig := acctest.Object(carvel.Secrets, "Secret", e.Name, "kubeconfig")
	kubeconfig.Object["stringData"] = map[string]any{carvel.DefaultKubeconfigKey: file(t, e.Lab.Staging.Kubeconfig)}
	e.Create(e.Build(carvel.Secrets, e.Name), kubeconfig)
	repository.Write("Deliver "+e.Package(), map[string]string{
		e.Package() + "/staging/install.yaml": "apiVersion: packaging.carvel.dev/v1alpha1\nkind: PackageInstall\nmetadata: {name: app}\nspec:\n" +
			"  serviceAccountName: " + e.Name + "-sa\n  packageRef: {refName: " + e.Package() + ", versionSelection: {constraints: " + acctest.FirstVersion + "}}\n" +
			"  values: [{secretRef: {name: values}}]\n",
		e.Package() + "/staging/values.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: values}\nstringData: {values.yaml: \"{}\"}\n",
	})
	engine.Invalidate() // a test beside this one may have read the branch before it had this
	packages := delivery.Packages{Names: []string{e.Package()}, RunCluster: "staging"}
	fetch := d.Apps.PackageSources(packages)
	template, _, _ := carvel.SelectPaths([]carvel.Template{{Ytt: &carvel.Ytt{}}}, packages.Paths())
	for _, f := range fetch {
		d.Apps.CompleteGit(f.Git)
	}
	carvel.UseGitSecret(fetch, "git")
	a = delivery.App{RunCluster: "staging", Wait: true, ForCluster: how, AppSpec: carvel.AppSpec{
		Namespace: e.Name, Name: e.Name,
		Cluster:  &carvel.Cluster{Namespace: e.Name, KubeconfigSecretRef: &carvel.SecretKeyRef{Name: "kubeconfig"}},
		Fetch:    fetch,
		Template: template,
		Deploy:   []carvel.Deploy{{Kapp: &carvel.Kapp{IntoNs: e.Name, RawOptions: []string{carvel.AllowEmptyOption}}}},
	}}
	build.Requests()
	run.Requests()
	return ctx, d, a, build, run
}

func file(t *testing.T, path string) string {
	t.Helper()
	if path == "" {
		return ""
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestAccAppWait: a wait reads each resource once and watches it from then on,
// however long it takes, and tells what it is waiting for.
func TestAccAppWait(t *testing.T) {
	ctx, d, a, build, run := delivered(t)
	var progress []string
	a.Progress = func(reason string) { progress = append(progress, reason) }
	r, err := d.Apps.Create(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	if r.Unseen != nil || r.Status.Condition() != carvel.ReconcileSucceeded {
		t.Errorf("%+v", r)
	}
	if len(progress) < 2 || len(slices.Compact(slices.Clone(progress))) != len(progress) {
		t.Errorf("progress: %q", progress)
	}
	requests := build.Requests()
	if len(requests) > 3 { // one to make the App, a list and a watch
		t.Errorf("%d requests to the build cluster:\n%s", len(requests), strings.Join(requests, "\n"))
	}
	requests = run.Requests()
	if len(requests) > 6 { // a list and a watch of PackageInstalls, Apps and the Secret
		t.Errorf("%d requests to the run cluster:\n%s", len(requests), strings.Join(requests, "\n"))
	}
	for _, request := range requests {
		if method, _, _ := strings.Cut(request, " "); method != "GET" && method != "WATCH" {
			t.Errorf("the wait wrote to the run cluster: %s", request)
		}
	}
	a.Creation = r.Creation
	if _, err := d.Apps.Delete(ctx, a, r.UID); err != nil {
		t.Fatal(err)
	}
}

// TestAccAppWait_unseen: if the run cluster may not be looked at, the App is
// judged by itself, and the receipt says so.
func TestAccAppWait_unseen(t *testing.T) {
	for _, resource := range []string{"packageinstalls", "apps", "secrets"} {
		t.Run(resource, func(t *testing.T) {
			ctx, d, a, _, run := delivered(t)
			run.Answer(func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.HasSuffix(r.URL.Path, "/"+resource) {
					return false
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusForbidden)
				_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"no"}`))
				return true
			})
			r, err := d.Apps.Create(ctx, a)
			if err != nil {
				t.Fatal(err)
			}
			if !apierrors.IsForbidden(r.Unseen) || r.Status.Condition() != carvel.ReconcileSucceeded {
				t.Errorf("%+v", r)
			}
			run.Answer(nil)
			a.Creation = r.Creation
			if _, err := d.Apps.Delete(ctx, a, r.UID); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestAccAppWait_clash: an App with the name of a PackageInstall that it
// deploys is refused before anything is written.
func TestAccAppWait_clash(t *testing.T) {
	ctx, d, a, build, _ := delivered(t)
	a.Name = "app"
	_, err := d.Apps.Create(ctx, a)
	if err == nil || !strings.Contains(err.Error(), "share one record of kapp") {
		t.Errorf("got %v", err)
	}
	if requests := build.Requests(); len(requests) > 0 {
		t.Errorf("requests: %q", requests)
	}
}

// TestAccAppWait_movedBranch: what another writer commits to the App's directory
// in the middle of the wait is waited for in its turn, and not what the branch
// held when the wait began.
func TestAccAppWait_movedBranch(t *testing.T) {
	ctx, d, a, _, run := delivered(t)
	e := acctest.New(t)
	repository := e.Repository()
	namespace := a.Cluster.Namespace
	looks, held := make(chan struct{}, 1), make(chan struct{})
	release := sync.OnceFunc(func() { close(held) })
	t.Cleanup(release) // before the proxy is closed, which waits for its requests
	run.Answer(func(_ http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/packageinstalls") {
			return false
		}
		select {
		case looks <- struct{}{}: // the wait knows what to look for now
		default:
		}
		select {
		case <-held:
		case <-r.Context().Done():
		}
		return false
	})
	var r delivery.AppReceipt
	var create errgroup.Group
	create.Go(func() (err error) {
		r, err = d.Apps.Create(ctx, a)
		return err
	})
	ended := make(chan error, 1)
	go func() { ended <- create.Wait() }()
	select {
	case <-looks:
	case err := <-ended:
		t.Fatal("the wait ended before it looked:", err)
	}
	dir := a.Selected()[1].Path
	repository.Write("Change the values of "+namespace, map[string]string{
		dir + "/values.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: values}\nstringData: {values.yaml: \"{a: b}\"}\n",
	})
	commits, err := repository.Commits(dir + "/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	written, _, _ := strings.Cut(commits[0], " ")
	// Until then the App is at what the wait began with, which is fine as well.
	for err := errors.New("not looked"); err != nil; time.Sleep(100 * time.Millisecond) {
		if ctx.Err() != nil {
			t.Fatal(errors.Join(err, <-ended))
		}
		err = acctest.Has(e.Build(carvel.Apps, namespace), a.Name, func(live *unstructured.Unstructured) error {
			status, err := carvel.ReadAppStatus(live)
			if err != nil {
				return err
			}
			fetched := status.FetchedCommits()
			if len(fetched) == 0 {
				return errors.New("nothing has been fetched")
			}
			for _, commit := range fetched { // others push to the branch as well
				if err := repository.Holds(commit, written); err != nil {
					return err
				}
			}
			return nil
		})(nil)
	}
	release()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if r.Unseen != nil || r.Status.Condition() != carvel.ReconcileSucceeded {
		t.Errorf("%+v", r)
	}
	secret, err := e.Staging(carvel.Secrets, namespace).Get(ctx, "values", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if value, _ := carvel.SecretValue(secret, "values.yaml"); string(value) != "{a: b}" {
		t.Errorf("the run cluster holds %q", value)
	}
	a.Creation = r.Creation
	if _, err := d.Apps.Delete(ctx, a, r.UID); err != nil {
		t.Fatal(err)
	}
}
