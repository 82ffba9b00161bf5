package examples_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitea"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// protected is a Gitea whose branch main takes no pushes, and the example for it.
type protected struct {
	*testing.T
	*workspace
	env      *acctest.Env
	server   *gitea.Server
	repo     *gitea.Repository
	reviewer gitea.User
}

const protectedDir = "protected-branch"

func newProtected(t *testing.T) *protected {
	t.Helper()
	t.Parallel()
	e := acctest.New(t)
	if !strings.Contains(e.Lab.Git.URL, "127.0.0.1") {
		t.Skip("the clusters are elsewhere, and do not reach a Gitea of this machine")
	}
	p := &protected{T: t, env: e, server: labtest.Forge(t)}
	e.BuildNamespace()
	p.trust(p.server.CertificateAuthority())
	var err error
	p.repo, err = p.server.CreateRepository(t.Context(), map[string]string{
		e.PackagePath(acctest.FirstVersion):  e.PackageFile(acctest.FirstVersion),
		e.PackagePath(acctest.SecondVersion): e.PackageFile(acctest.SecondVersion),
	})
	p.must(err)
	p.must(p.repo.Protect(t.Context(), "main", map[string]any{"enable_push": false, "required_approvals": 1}))
	robot := p.user("robot", "write")
	p.reviewer = p.user("reviewer", "admin")
	token, err := p.server.Token(t.Context(), robot, "write:repository", "write:issue")
	p.must(err)
	p.workspace = newWorkspace(t, e,
		"CARVEL_GIT_URL="+p.repo.URL(), "CARVEL_GIT_USERNAME="+robot.Name, "CARVEL_GIT_PASSWORD="+token,
		"TF_VAR_git_ca="+p.server.CertificateAuthority(), "TF_VAR_run_kubeconfig="+e.Lab.Prod.Kubeconfig, "TF_VAR_run_namespace="+e.Name,
		"TF_VAR_build_namespace="+e.Name, "TF_VAR_forge_kind=gitea", "TF_VAR_git_read_username="+robot.Name, "TF_VAR_git_read_password="+robot.Password,
	)
	p.succeeds(protectedDir, "init")
	return p
}

func (p *protected) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *protected) user(name, right string) gitea.User {
	p.Helper()
	u, err := p.server.CreateUser(p.Context(), name)
	p.must(err)
	p.must(p.repo.Collaborate(p.Context(), u, right))
	return u
}

// trust has the controllers trust one more authority, until the test ends.
func (p *protected) trust(authority string) {
	p.Helper()
	const name = "kapp-controller-config"
	secrets := p.env.Build(carvel.Secrets, "kapp-controller")
	change := func(edit func(string) string) error {
		for {
			obj, err := secrets.Get(p.Context(), name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			encoded, _, _ := unstructured.NestedString(obj.Object, "data", "caCerts")
			now, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil {
				return err
			}
			obj.Object["data"].(map[string]any)["caCerts"] = base64.StdEncoding.EncodeToString([]byte(edit(string(now))))
			if _, err = secrets.Update(p.Context(), obj, metav1.UpdateOptions{}); !apierrors.IsConflict(err) {
				return err
			}
		}
	}
	p.must(change(func(now string) string { return now + "\n" + authority }))
}

type pullRequest struct {
	Number int64  `json:"number"`
	State  string `json:"state"`
	Merged bool   `json:"merged"`
}

// open is the one request that is open; false: there is none.
func (p *protected) open() (pullRequest, bool) {
	var all []pullRequest
	if err := p.repo.Do(p.Context(), http.MethodGet, "/pulls?state=open", nil, &all); err != nil || len(all) != 1 {
		return pullRequest{}, false
	}
	return all[0], true
}

// approved has the request that is about to be opened approved and merged, as people do.
func (p *protected) approved() <-chan error {
	done := make(chan error, 1)
	go func() {
		var err error
		deadline := time.Now().Add(5 * time.Minute)
		for time.Now().Before(deadline) && p.Context().Err() == nil {
			time.Sleep(300 * time.Millisecond)
			r, ok := p.open()
			if !ok {
				continue
			}
			if err = p.merge(r.Number); err == nil {
				done <- nil
				return
			}
		}
		done <- fmt.Errorf("nothing was merged: %w", err)
	}()
	return done
}

func (p *protected) merge(n int64) error {
	at := fmt.Sprintf("/repos/%s/%s/pulls/%d", p.repo.Owner, p.repo.Name, n)
	if err := p.server.Do(p.Context(), p.reviewer, http.MethodPost, at+"/reviews", map[string]any{"event": "APPROVED", "body": "fine"}, nil); err != nil {
		return err
	}
	return p.server.Do(p.Context(), p.reviewer, http.MethodPost, at+"/merge", map[string]any{"Do": "squash"}, nil)
}

// packages sets what is delivered.
func (p *protected) packages(version, wait string) {
	p.variables(protectedDir, map[string]any{
		"packages": map[string]any{p.env.Package(): map[string]any{"version_constraint": version}}, "wait": wait, "merge_timeout": "5m",
	})
}

// runs checks the version that the run cluster has.
func (p *protected) runs(version string) {
	p.Helper()
	if err := acctest.Has(p.env.Prod(acctest.ConfigMaps, p.env.Name), p.env.Name, acctest.Field(version, "data", "version"))(nil); err != nil {
		p.Error(err)
	}
}

// waiting is the output of the example.
func (p *protected) waiting() (packages []string) {
	p.Helper()
	p.must(json.Unmarshal([]byte(p.succeeds(protectedDir, "output", "-json", "waiting")), &packages))
	return packages
}

// TestAccExamples_protectedBranch: one apply that waits for the approval and the merge, then two with the merge between them, and a destroy
// whose removal is merged.
func TestAccExamples_protectedBranch(t *testing.T) {
	p := newProtected(t)
	p.packages(acctest.FirstVersion, "merged")
	merged := p.approved()
	p.succeeds(protectedDir, "apply", "-auto-approve", "-input=false")
	p.must(<-merged)
	p.runs(acctest.FirstVersion)
	p.succeeds(protectedDir, "apply", "-auto-approve", "-input=false")
	p.succeeds(protectedDir, "plan", "-detailed-exitcode", "-input=false")

	p.packages(acctest.SecondVersion, "none")
	p.succeeds(protectedDir, "apply", "-auto-approve", "-input=false")
	p.runs(acctest.FirstVersion)
	if waiting := p.waiting(); len(waiting) != 1 {
		t.Errorf("%v wait, want one package", waiting)
	}
	if out := p.succeeds(protectedDir, "plan", "-detailed-exitcode", "-input=false"); !strings.Contains(out, "Changes wait to be merged") {
		t.Errorf("the plan does not say what waits:\n%s", out)
	}
	p.must(<-p.approved())
	p.succeeds(protectedDir, "apply", "-auto-approve", "-input=false")
	p.runs(acctest.SecondVersion)
	p.succeeds(protectedDir, "plan", "-detailed-exitcode", "-input=false")

	merged = p.approved()
	p.succeeds(protectedDir, "destroy", "-auto-approve", "-input=false")
	p.must(<-merged)
	for name, check := range map[string]error{
		"namespace": acctest.HasNot(p.env.Prod(carvel.Namespaces, ""), p.env.Name)(nil),
		"app":       acctest.HasNot(p.env.Build(carvel.Apps, p.env.Name), p.env.Name+"-prod")(nil),
	} {
		if check != nil {
			t.Errorf("%s: %v", name, check)
		}
	}
	if _, there := p.repo.File(t.Context(), "main", p.env.Package()+"/prod/packageinstall.yaml"); there {
		t.Error("the package install is left on main")
	}
}
