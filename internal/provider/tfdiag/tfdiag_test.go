package tfdiag

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
)

// TestFailure: each error that a practitioner can do something about says what.
func TestFailure(t *testing.T) {
	apps := cluster.Ref{Resource: carvel.Apps, Namespace: "dev", Name: "a"}
	roles := schema.GroupResource{Group: "rbac.authorization.k8s.io", Resource: "roles"}
	by := &gitops.LastChange{
		Commit: gitops.BlobHash(nil), Author: "Ann", Email: "ann@example.com", Time: time.Unix(1700000000, 0).UTC(), Subject: "Edit",
	}
	for name, c := range map[string]struct {
		err       error
		attribute string
		texts     []string
	}{
		"credentials":        {gitops.ErrAuth, "", []string{"git.http.password", "not tried again"}},
		"refusal":            {&gitops.DeniedError{Text: "Gitea: Repo: o/r is archived."}, "", []string{"not asked again", "git.ssh.private_key", "Gitea: Repo: o/r is archived."}},
		"limit":              {&gitops.LimitError{What: "the file", Most: "4 MB", Path: "a/x.yaml", Advice: "Make it smaller."}, "", []string{"more than this provider takes", "a/x.yaml: the file is over the limit of 4 MB. Make it smaller."}},
		"throttling":         {&gitops.ThrottledError{Status: 403, Until: time.Unix(1_700_000_000, 0)}, "", []string{"fewer requests", "2023-11-14T22:13:20Z"}},
		"redirect":           {&gitops.RedirectError{From: "https://a", To: "https://b", URL: "https://b/g.git"}, "", []string{"https://a redirects to", "git.url in the provider configuration to https://b/g.git"}},
		"to https":           {&gitops.RedirectError{From: "http://a", To: "https://a", URL: "https://a/g.git", Encrypted: true}, "", []string{"http://a redirects to https://", "to https://a/g.git", "allow_insecure_http"}},
		"no credentials":     {&gitops.UnsentError{Status: 401, From: "https://a", To: "https://a"}, "", []string{"none are configured", "git.http.password", "CARVEL_GIT_TOKEN"}},
		"none elsewhere":     {&gitops.UnsentError{Status: 401, From: "https://a", To: "https://b", URL: "https://b/g.git"}, "", []string{"https://a redirects to https://b", "None are configured", "git.url in the provider configuration to https://b/g.git", "CARVEL_GIT_TOKEN"}},
		"left behind":        {&gitops.UnsentError{Status: 401, From: "https://a", To: "https://b", URL: "https://b/g.git", Configured: true}, "", []string{"was sent no credentials", "git.url in the provider configuration to https://b/g.git"}},
		"page to log in":     {&gitops.RedirectError{From: "https://a", To: "https://sso", URL: "https://sso/login", Page: true}, "", []string{"https://a redirects to https://sso/login", "page to log in", "git.http.bearer_token", "CARVEL_GIT_TOKEN"}},
		"web page":           {&gitops.WebPageError{From: "https://a", Page: "https://a/g.git"}, "", []string{"https://a answered with a web page", "No credentials are configured", "CARVEL_GIT_TOKEN", "git.url"}},
		"web page elsewhere": {&gitops.WebPageError{From: "https://a", Page: "https://a/login", Redirected: true, Configured: true}, "", []string{"https://a redirects to https://a/login", "wrong or over", "git.url"}},
		"SHA-256":            {&gitops.ObjectFormatError{Format: "sha256"}, "", []string{"object format sha256", "--object-format=sha1", "git.url"}},
		"no certificate":     {&gitops.ClientCertificateError{Host: "https://a", Err: errors.New("tls")}, "", []string{"https://a", "git.http.client_certificate and git.http.client_key"}},
		"its certificate":    {&gitops.ClientCertificateError{Host: "https://a", Configured: true, Err: errors.New("tls")}, "", []string{"does not take the client certificate", "git.http.client_certificate"}},
		"repository":         {gitops.ErrRepositoryNotFound, "", []string{"git.url"}},
		"branch":             {gitops.ErrBranchNotFound, "", []string{"git.branch"}},
		"other branch":       {&gitops.BranchNotFoundError{Default: "trunk"}, "", []string{"git.branch", "the default branch is trunk"}},
		"signature":          {&gitops.HookDeclinedError{Text: "Commits must have verified signatures."}, "", []string{"git.signing", "git.author_email", "verified signatures"}},
		"contention":         {gitops.ErrBranchMoved, "", []string{"Apply again", "timeouts"}},
		"hook":               {&gitops.HookDeclinedError{Text: "sign off please"}, "", []string{"rules", "sign off please"}},
		"outcome":            {gitops.ErrOutcomeUnknown, "", []string{"Apply again"}},
		"host key":           {&gitops.UnknownHostKeyError{Host: "h", Fingerprint: "SHA256:x"}, "", []string{"known_hosts", "SHA256:x"}},
		"revoked key":        {&gitops.UnknownHostKeyError{Host: "h", Fingerprint: "SHA256:x", Reason: "which line 2 of known_hosts revokes"}, "", []string{"SHA256:x, which line 2 of known_hosts revokes", "CARVEL_GIT_KNOWN_HOSTS"}},
		"changed file":       {&gitops.PreconditionError{Path: "a/b/params.yaml"}, "", []string{"a/b/params.yaml is not what the plan saw", "Plan again"}},
		"changed by":         {&gitops.PreconditionError{Path: "a/b/params.yaml", By: by}, "", []string{"was left as it is. It was last changed by Ann <ann@example.com> at 2023-11-14T22:13:20Z in commit " + by.Commit.String() + ": Edit"}},
		"exists by":          {&delivery.ExistsError{What: "a/b/params.yaml", By: by}, "", []string{"did not make it. It was last changed by Ann <ann@example.com> at 2023-11-14T22:13:20Z in commit " + by.Commit.String() + ": Edit"}},
		"exists":             {&delivery.ExistsError{Where: "build_cluster", What: "apps dev/a"}, "", []string{"Import it", "adopt_existing"}},
		"no namespace":       {&delivery.NamespaceMissingError{Cluster: "c", Namespace: "n"}, "name", []string{"create_namespace"}},
		"rights":             {&delivery.LackingRightsError{Cluster: "c", Lacking: []string{"create on secrets"}}, "", []string{"create on secrets", "escalate"}},
		"remaining":          {&delivery.RemainingError{Remaining: []delivery.Remaining{{What: "App a"}}, Err: context.DeadlineExceeded}, "", []string{"App a", "nobody deletes it", "timeouts"}},
		"stuck": {
			&delivery.RemainingError{Remaining: []delivery.Remaining{{What: "PackageInstall a", Deleting: true, Finalizers: []string{"finalizers.packageinstall.packaging.carvel.dev/delete"}, Message: "no ServiceAccount"}}}, "",
			[]string{"PackageInstall a", "finalizers.packageinstall.packaging.carvel.dev/delete", "kapp-controller", "no ServiceAccount", "noopDelete"},
		},
		"an API is down": {
			&delivery.TerminatingError{Namespace: "n", Termination: carvel.Termination{APIs: []string{"metrics.k8s.io/v1beta1"}, Messages: []string{"Discovery failed"}}}, "",
			[]string{"metrics.k8s.io/v1beta1", "kubectl delete apiservice v1beta1.metrics.k8s.io", "Discovery failed"},
		},
		"finalizers": {
			&delivery.TerminatingError{Namespace: "n", Termination: carvel.Termination{Content: []string{"example.com/x"}, Kinds: []string{"widgets.example.com (2)"}, Finalizers: []string{"other.example.com/y"}}}, "",
			[]string{"example.com/x, which the controller of example.com takes away on widgets.example.com (2)", "other.example.com/y", "on the Namespace itself"},
		},
		"an App that is kept": {
			&delivery.DeleteError{Message: "nothing yet", Finalizers: []string{"finalizers.kapp-ctrl.k14s.io/delete", "example.com/x"}}, "",
			[]string{"the finalizer finalizers.kapp-ctrl.k14s.io/delete, which kapp-controller takes away", "the controller of example.com"},
		},
		"in use":         {&delivery.InUseError{Apps: []string{"a"}}, "", []string{"Apps still deploy with it: a"}},
		"not ready":      {&delivery.NotReadyError{Ref: apps, Reason: "Reconciling", Err: context.DeadlineExceeded}, "", []string{"Waiting for: Reconciling", "wait = false"}},
		"interrupted":    {&delivery.NotReadyError{Ref: apps, Reason: "Reconciling", Stopped: true, Err: context.Canceled}, "", []string{"Terraform was stopped", "Waiting for: Reconciling"}},
		"gone":           {&delivery.GoneError{Ref: apps}, "", []string{"was deleted in the meantime", "apply again"}},
		"going":          {&delivery.GoneError{Ref: apps, Message: "secret gone"}, "", []string{"is being deleted", "secret gone", "restore", "kubectl patch"}},
		"paused":         {&delivery.StoppedError{Ref: apps, Field: "paused"}, "", []string{"paused = true", "kctrl app kick", "wait = false"}},
		"failed":         {&delivery.ReconcileError{Ref: apps, Stage: "fetch", Message: "no such directory"}, "", []string{"fetch stage", "no such directory"}},
		"controller":     {&delivery.ReconcileError{Ref: apps, Stage: "deploy", Message: "no", Controller: "v0.58.0"}, "", []string{"failed in the deploy stage (kapp-controller v0.58.0), and again"}},
		"missing":        {&delivery.ReconcileError{Ref: apps, Stage: "template", Message: "no", Missing: []string{"a/packages", "b/x"}, Where: "branch main of u"}, "", []string{"needs what branch main of u lacks: a/packages, b/x. Commit", "create_directories = true"}},
		"failed install": {&delivery.ReconcileError{Ref: apps, Install: "app", Stage: "deploy", Message: "no", Output: "10:00:00 ok"}, "", []string{"On the run cluster, PackageInstall app failed in the deploy stage", "10:00:00 ok"}},
		"record clash":   {&delivery.RecordClashError{Namespace: "apps", Name: "app"}, "name", []string{"delete each other's objects", "app-app"}},
		"failed delete":  {&delivery.DeleteError{Ref: apps, Failed: true, Message: "secret gone"}, "", []string{"cannot delete", "secret gone", "restore", `kubectl patch apps.kappctrl.k14s.io a --namespace dev --type merge --patch '{"spec":{"noopDelete":true}}'`, `on_destroy = "orphan"`}},
		"slow delete":    {&delivery.DeleteError{Ref: apps, Message: "Deleting", Err: context.DeadlineExceeded}, "", []string{"last reported: Deleting", "timeouts", `on_destroy = "orphan"`}},
		"kubeconfig":     {&kubeconfig.PortabilityError{Findings: []kubeconfig.Finding{{Text: "exec"}}}, "kubeconfig", []string{"exec"}},
		"run cluster":    {&delivery.MissingPartError{Part: delivery.PartRunCluster, RunCluster: "x"}, "run_cluster", []string{"run_clusters"}},
		"no git":         {&delivery.MissingPartError{Part: delivery.PartGit}, "", []string{"git.url", "CARVEL_GIT_URL"}},
		"no build":       {&delivery.MissingPartError{Part: delivery.PartBuildCluster}, "", []string{"build_cluster", "KUBE_CONFIG_PATH"}},
		"unreachable":    {&cluster.UnreachableError{Cluster: `run_clusters["x"]`, Err: context.DeadlineExceeded}, "", []string{`run_clusters["x"].host`}},
		"certificate":    {&cluster.CertificateError{Cluster: `run_clusters["x"]`, Err: context.Canceled}, "", []string{"cannot be verified", `run_clusters["x"].cluster_ca_certificate`}},
		"not configured": {&cluster.ConnectionError{Cluster: "build_cluster", Err: cluster.ErrNotConfigured}, "", []string{"build_cluster.host", ".config_path"}},
		"not served":     {&cluster.NotServedError{Cluster: "build_cluster", Resource: "apps.kappctrl.k14s.io"}, "", []string{"Install kapp-controller"}},
		"refused port":   {&cluster.RefusedError{Cluster: "build_cluster", Err: io.EOF}, "", []string{"did not answer", "refuses connections", "build_cluster.host"}},
		"unknown host":   {&cluster.UnknownHostError{Cluster: "build_cluster", Host: "nosuch", Err: io.EOF}, "", []string{"did not answer", "there is no host nosuch"}},
		"plain http":     {&cluster.NotTLSError{Cluster: "build_cluster", Err: io.EOF}, "", []string{"does not speak TLS", "build_cluster.host"}},
		"client cert":    {&cluster.ClientCertificateError{Cluster: "build_cluster", Err: io.EOF}, "", []string{"demands a client certificate", "build_cluster.client_certificate"}},
		"elsewhere":      {&cluster.RedirectError{Cluster: "build_cluster", From: "https://a", To: "http://b"}, "", []string{"from https://a to http://b", "nothing was sent there"}},
		"too large":      {&cluster.LimitError{Cluster: "build_cluster", What: "a list of objects", Most: 7, Unit: "bytes"}, "", []string{"A list of objects of build_cluster is larger than 7 bytes"}},
		"login page":     {&cluster.NotAnAPIServerError{Cluster: "build_cluster", Status: 403, ContentType: "text/html", Start: "Log in"}, "", []string{"no Kubernetes API server", "status 403, text/html: Log in"}},
		"wrong answer":   {&cluster.WrongAnswerError{Cluster: "build_cluster", Ref: apps, Got: "the Pod"}, "", []string{"asked for apps.kappctrl.k14s.io dev/a", "the Pod"}},
		"busy":           {&cluster.BusyError{Cluster: "build_cluster", After: time.Hour, Err: io.EOF}, "", []string{"come back in 1h0m0s", "timeouts"}},
		"old CRD":        {&cluster.UnknownFieldError{Cluster: "build_cluster", Ref: apps, Fields: []string{".spec.defaultNamespace"}, Err: io.EOF}, "", []string{"build_cluster does not know .spec.defaultNamespace", "Update kapp-controller"}},
		"plugin":         {&cluster.PluginError{Cluster: "build_cluster", Command: "aws", Err: io.EOF}, "", []string{"credential plugin aws gave no credentials", "build_cluster.exec"}},
		"no plugin":      {&cluster.PluginError{Cluster: "build_cluster", Command: "aws", Hint: "get it", Err: io.EOF}, "", []string{"get it"}},
		"slow plugin":    {&cluster.PluginError{Cluster: "build_cluster", Command: "aws", Err: context.DeadlineExceeded}, "", []string{"did not end until the time was up"}},
		"loud plugin":    {&cluster.PluginError{Cluster: "build_cluster", Command: "aws", Err: &cluster.LimitError{Most: 7, Unit: "bytes"}}, "", []string{"printed more than 7 bytes"}},
		"escapes":        {errors.New("red \x1b[31mtext"), "", []string{`red \x1b[31mtext`}},
		"conflict":       {&cluster.ConflictError{Ref: apps, Fields: []cluster.FieldConflict{{Field: ".spec.fetch", Owner: "kubectl"}}}, "", []string{".spec.fetch: kubectl", "force_conflicts"}},
		"forbidden":      {apierrors.NewForbidden(roles, "r", context.Canceled), "", []string{"lack a right"}},
		"unauthorized":   {apierrors.NewUnauthorized("no"), "", []string{"refused the credentials"}},
		"stopped":        {context.Canceled, "", []string{"Terraform was stopped"}},
		"time":           {context.DeadlineExceeded, "", []string{"timeouts"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := Failure{Verb: "create", Noun: "thing", Name: "dev/a", Err: fmt.Errorf("context: %w", c.err)}.Diagnostic()
			at, _ := d.(diag.DiagnosticWithPath)
			if got := attribute(at); got != c.attribute {
				t.Errorf("attribute %q, want %q", got, c.attribute)
			}
			for _, text := range c.texts {
				if !strings.Contains(d.Summary()+"\n"+d.Detail(), text) {
					t.Errorf("%q is missing in:\n%s\n%s", text, d.Summary(), d.Detail())
				}
			}
		})
	}
}

func attribute(d diag.DiagnosticWithPath) string {
	if d == nil {
		return ""
	}
	return d.Path().String()
}

func TestFailure_left(t *testing.T) {
	d := Failure{Verb: "create", Noun: "app", Name: "dev/a", Left: "The App is there.", Err: gitops.ErrAuth}.Diagnostic()
	if d.Summary() != `Unable to create app "dev/a"` || !strings.Contains(d.Detail(), "The App is there.") || !strings.Contains(d.Detail(), "Original error: ") {
		t.Errorf("%s\n%s", d.Summary(), d.Detail())
	}
}

func TestSome(t *testing.T) {
	names := strings.Fields("a b c d e f g h i j k l")
	for n, want := range map[int]string{0: "", 2: "a, b", 10: "a, b, c, d, e, f, g, h, i, j", 12: "a, b, c, d, e, f, g, h, i, j and 2 more"} {
		if got := Some(names[:n]); got != want {
			t.Errorf("of %d: %s", n, got)
		}
	}
}
