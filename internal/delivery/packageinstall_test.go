package delivery

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitserver"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

const repository = "gitops.git"

// repositoryDelivery works on a repository of its own on a real Git server.
func repositoryDelivery(t *testing.T) (*Delivery, *gitserver.Server) {
	t.Helper()
	server, err := gitserver.Start(gitserver.Options{Dir: t.TempDir(), Username: "ci", Password: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := server.CreateRepository(repository, gitserver.AllowFilter, gitserver.AllowAnySHA1InWant); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Seed(repository, "Start", map[string]string{"README.md": "theirs\n"}); err != nil {
		t.Fatal(err)
	}
	return New(Config{Repository: reopened(t, server), Location: Location{URL: server.URL(repository), Branch: "main"}}), server
}

// again is as another process.
func again(t *testing.T, d *Delivery, server *gitserver.Server) *Delivery {
	t.Helper()
	config := d.Config
	config.Repository = reopened(t, server)
	return New(config)
}

func reopened(t *testing.T, server *gitserver.Server) *gitops.Engine {
	t.Helper()
	engine, err := gitops.Open(gitops.Config{
		URL:  server.URL(repository),
		HTTP: gitops.HTTPAuth{Username: "ci", Password: "secret", CertificateAuthority: server.CertificateAuthority()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

func testInstall() PackageInstall {
	p := PackageInstall{RunCluster: "staging", Spec: installfiles.Spec{
		Install:          carvel.PackageInstallSpec{Name: "app", ServiceAccountName: "sa", PackageRef: carvel.PackageRef{RefName: "app.default.tap"}},
		ValuesSecretName: "app-values", Values: map[string]any{"workload_name": "app"},
	}}
	p.want("1.0.0")
	return p
}

// want sets the version constraint.
func (p *PackageInstall) want(constraint string) {
	p.Install.PackageRef.VersionSelection.Constraints = constraint
}

func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func paths(t *testing.T, server *gitserver.Server) []string {
	t.Helper()
	files, err := server.Files(repository, "main")
	if err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(files))
}

func TestPackageInstallLifecycle(t *testing.T) {
	d, server := repositoryDelivery(t)
	ctx := bounded(t)
	p := testInstall()
	planned, err := d.Installs.Plan(p)
	if err != nil {
		t.Fatal(err)
	}
	created, err := d.Installs.Create(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	written := maps.Clone(created.Blobs)
	delete(written, repolayout.MarkFile)
	if created.Commit.IsZero() || !maps.Equal(written, planned.Blobs) {
		t.Errorf("created %+v, planned %+v", created, planned)
	}
	if diff := cmp.Diff(planned.Files, created.Files); diff != "" {
		t.Error(diff)
	}
	found, read, err := d.Installs.Read(ctx, p.At())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p.Spec, found.Spec); diff != "" || !maps.Equal(read.Blobs, created.Blobs) {
		t.Errorf("%s\n%+v", diff, read)
	}
	p.want("2.0.0")
	p.Values = nil
	p.Creation = created.Creation
	updated, err := d.Installs.Update(ctx, p, installfiles.Before{Blobs: created.Blobs})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"README.md", "app.default.tap/staging/.terraform-provider-carvel", "app.default.tap/staging/packageinstall.yaml"}
	if diff := cmp.Diff(want, paths(t, server)); diff != "" {
		t.Error(diff)
	}
	again, err := d.Installs.Update(ctx, p, installfiles.Before{Blobs: updated.Blobs})
	if err != nil || again.Commit != updated.Commit {
		t.Errorf("writing the same made a commit: %+v, %v", again, err)
	}
	if _, err := d.Installs.Delete(ctx, p.At(), updated.Blobs, p.Hold); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"README.md", "app.default.tap/staging/.gitkeep"}, paths(t, server)); diff != "" {
		t.Error(diff)
	}
	if _, err := d.Installs.Delete(ctx, p.At(), updated.Blobs, p.Hold); err != nil {
		t.Errorf("deleting what is gone: %v", err)
	}
	if _, _, err := d.Installs.Read(ctx, p.At()); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func nobodys(string, installfiles.Blob) bool { return false }

// TestNothingIsOverwritten: a file that changed between plan and apply is an
// error, and stays as it is.
func TestNothingIsOverwritten(t *testing.T) {
	d, server := repositoryDelivery(t)
	ctx := bounded(t)
	p := testInstall()
	created, err := d.Installs.Create(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	path := d.Layout.Path(p.At(), repolayout.PackageInstallFile)
	edit, err := server.Seed(repository, "Edit", map[string]string{path: "theirs\n"})
	if err != nil {
		t.Fatal(err)
	}
	byEdit := func(by *gitops.LastChange) bool {
		return by != nil && by.Commit.String() == edit && by.Subject == "Edit"
	}
	p.want("2.0.0")
	p.Creation = created.Creation
	var precondition *gitops.PreconditionError
	if _, err := d.Installs.Update(ctx, p, installfiles.Before{Blobs: created.Blobs}); !errors.As(err, &precondition) || precondition.Path != path || !byEdit(precondition.By) {
		t.Errorf("update: %v, by %+v", err, precondition.By)
	}
	if _, err := d.Installs.Delete(ctx, p.At(), created.Blobs, p.Hold); !errors.As(err, &precondition) || !byEdit(precondition.By) {
		t.Errorf("delete: %v", err)
	}
	var exists *ExistsError
	p.Hold = Hold{}
	if _, err := d.Installs.Create(ctx, p); !errors.As(err, &exists) || exists.What != path || !byEdit(exists.By) {
		t.Errorf("create: %v", err)
	}
	exists = nil
	if _, err := d.Installs.CheckNew(ctx, p.At(), created, Hold{}, nobodys); !errors.As(err, &exists) || !byEdit(exists.By) {
		t.Errorf("check: %v", err)
	}
	files, err := server.Files(repository, "main")
	if err != nil || files[path] != "theirs\n" {
		t.Errorf("%q, %v", files[path], err)
	}
	unseen := ""
	p.Hold = Hold{Adopt: true, Seen: &unseen}
	var changed *NotAsPlannedError
	if _, err := d.Installs.Create(ctx, p); !errors.As(err, &changed) {
		t.Errorf("what the plan did not see was adopted: %v", err)
	}
	found, err := d.Installs.CheckNew(ctx, p.At(), created, p.Hold, nobodys)
	if err != nil || !strings.Contains(found.Seen, repolayout.PackageInstallFile) || len(found.Changes) != 2 {
		t.Errorf("%+v, %v", found, err)
	}
	p.Seen = &found.Seen
	if _, err := d.Installs.Create(ctx, p); err != nil {
		t.Errorf("adopt: %v", err)
	}
	files, err = server.Files(repository, "main")
	if err != nil || !strings.Contains(files[path], "constraints: 2.0.0") {
		t.Errorf("%q, %v", files[path], err)
	}
}

// TestEncryptedFileInTheWay: SOPS would write what it decrypts over the params.yaml of a new package install.
func TestEncryptedFileInTheWay(t *testing.T) {
	d, server := repositoryDelivery(t)
	ctx := bounded(t)
	p := testInstall()
	encrypted := d.Layout.Path(p.At(), repolayout.EncryptedParamsFile)
	if _, err := server.Seed(repository, "theirs", map[string]string{encrypted: "theirs\n"}); err != nil {
		t.Fatal(err)
	}
	there := func() bool {
		files, err := server.Files(repository, "main")
		if err != nil {
			t.Fatal(err)
		}
		_, is := files[encrypted]
		return is
	}
	planned, err := d.Installs.Plan(p)
	if err != nil {
		t.Fatal(err)
	}
	var exists *ExistsError
	if _, err := d.Installs.CheckNew(ctx, p.At(), planned, Hold{}, nobodys); !errors.As(err, &exists) || exists.What != encrypted {
		t.Errorf("check: %v", err)
	}
	exists = nil
	if _, err := d.Installs.Create(ctx, p); !errors.As(err, &exists) || exists.What != encrypted || !there() {
		t.Errorf("create: %v", err)
	}
	without := p
	without.Values = nil
	if _, err := d.Installs.Create(ctx, without); err != nil || !there() {
		t.Errorf("without values it is not in the way: %v", err)
	}
	p.Adopt = true
	if _, err := d.Installs.Create(ctx, p); err != nil || there() {
		t.Errorf("adopt: %v, and the file is there: %t", err, there())
	}
}

// TestHalfOfAPackageInstall: with one of its files gone it is no less there.
func TestHalfOfAPackageInstall(t *testing.T) {
	d, server := repositoryDelivery(t)
	ctx := bounded(t)
	p := testInstall()
	if _, err := d.Installs.Create(ctx, p); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Seed(repository, "theirs", nil, d.Layout.Path(p.At(), repolayout.PackageInstallFile)); err != nil {
		t.Fatal(err)
	}
	d = again(t, d, server)
	var unreadable *UnreadableError
	params := d.Layout.Path(p.At(), repolayout.ParamsFile)
	_, r, err := d.Installs.Read(ctx, p.At(), repolayout.PackageInstallFile, repolayout.ParamsFile)
	if _, shown := r.Files[params]; !errors.As(err, &unreadable) || errors.Is(err, ErrNotFound) || !shown || len(r.Blobs) != 2 { // with the mark
		t.Errorf("%+v, %v", r, err)
	}
	if _, _, err := d.Installs.Read(ctx, p.At()); !errors.Is(err, ErrNotFound) {
		t.Errorf("files that nobody knows: %v", err)
	}
}

func TestDeleteKeepsOthersFiles(t *testing.T) {
	d, server := repositoryDelivery(t)
	ctx := bounded(t)
	p := testInstall()
	dir := d.Layout.Dir(p.At())
	theirs := map[string]string{dir + "/" + repolayout.KeepFile: "theirs\n", dir + "/NOTES.md": "theirs\n"}
	if _, err := server.Seed(repository, "Notes", theirs); err != nil {
		t.Fatal(err)
	}
	created, err := d.Installs.Create(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Installs.Delete(ctx, p.At(), created.Blobs, Hold{Creation: created.Creation}); err != nil {
		t.Fatal(err)
	}
	files, err := server.Files(repository, "main")
	if err != nil {
		t.Fatal(err)
	}
	theirs["README.md"] = "theirs\n"
	if diff := cmp.Diff(theirs, files); diff != "" {
		t.Error(diff)
	}
}

// TestUnreadableFilesAreThere: a file that cannot be read is shown as one that is
// there, without what is in it.
func TestUnreadableFilesAreThere(t *testing.T) {
	d, server := repositoryDelivery(t)
	at := testInstall().At()
	if _, err := server.Seed(repository, "Break", map[string]string{d.Layout.Path(at, repolayout.PackageInstallFile): "kind: [\n"}); err != nil {
		t.Fatal(err)
	}
	_, r, err := d.Installs.Read(bounded(t), at)
	var unreadable *UnreadableError
	if !errors.As(err, &unreadable) || r.Files[d.Layout.Path(at, repolayout.PackageInstallFile)] != carvel.Masked+"\n" {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestMissingParts(t *testing.T) {
	d := New(Config{})
	ctx := t.Context()
	for part, call := range map[Part]func() error{
		PartGit:          func() error { _, err := d.Installs.Create(ctx, testInstall()); return err },
		PartBuildCluster: func() error { _, err := d.Apps.Create(ctx, App{}); return err },
		PartRunCluster:   func() error { _, err := d.Namespaces.Create(ctx, RunNamespace{Cluster: "x"}); return err },
	} {
		var missing *MissingPartError
		if err := call(); !errors.As(err, &missing) || missing.Part != part {
			t.Errorf("%d: got %v", part, err)
		}
	}
}

func TestFingerprint(t *testing.T) {
	s := carvel.KubeconfigSecretSpec{Namespace: "dev", Name: "a"}
	a, again, other := Fingerprint(s, []byte("x")), Fingerprint(s, []byte("x")), Fingerprint(s, []byte("y"))
	s.Name = "b"
	salted := Fingerprint(s, []byte("x"))
	if a != again || a == other || a == salted || len(a) != 32 {
		t.Errorf("%s %s %s %s", a, again, other, salted)
	}
}

// TestUpdateKeepsOtherForms: a file that says the same in another form stays,
// also if another file of the same commit changes.
func TestUpdateKeepsOtherForms(t *testing.T) {
	d, server := repositoryDelivery(t)
	ctx := bounded(t)
	p := testInstall()
	install, params := d.Layout.Path(p.At(), repolayout.PackageInstallFile), d.Layout.Path(p.At(), repolayout.ParamsFile)
	created, err := d.Installs.Create(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	p.Creation = created.Creation
	const byHand = "# by hand\napiVersion: v1\nkind: Secret\nmetadata: {name: app-values}\nstringData: {values.yaml: 'workload_name: app'}\n"
	if _, err := server.Seed(repository, "Edit", map[string]string{params: byHand}); err != nil {
		t.Fatal(err)
	}
	// Another reader, which has not seen what was there before.
	d = again(t, d, server)
	_, found, err := d.Installs.Read(ctx, p.At())
	if err != nil || len(found.Says) != 2 || found.Says[repolayout.ParamsFile] == found.Blobs[repolayout.ParamsFile] {
		t.Fatalf("%+v, %v", found, err)
	}
	seen := installfiles.Before{Blobs: found.Blobs, Says: func(name string, blob installfiles.Blob) bool { return found.Says[name] == blob }}
	p.want("2.0.0")
	done, err := d.Installs.Update(ctx, p, seen)
	if err != nil {
		t.Fatal(err)
	}
	files, err := server.Files(repository, "main")
	if err != nil || files[params] != byHand || !strings.Contains(files[install], "2.0.0") {
		t.Errorf("%v, %v", files, err)
	}
	if done.Blobs[repolayout.ParamsFile] != found.Blobs[repolayout.ParamsFile] || done.Says[repolayout.ParamsFile] != found.Says[repolayout.ParamsFile] {
		t.Errorf("%+v", done)
	}
	if _, err := server.Seed(repository, "Edit", map[string]string{params: byHand + "# again\n"}); err != nil {
		t.Fatal(err)
	}
	p.want("3.0.0")
	var precondition *gitops.PreconditionError
	if _, err := d.Installs.Update(ctx, p, installfiles.Before{Blobs: done.Blobs, Says: seen.Says}); !errors.As(err, &precondition) || precondition.Path != params {
		t.Errorf("a file that changed was passed over: %v", err)
	}
}
