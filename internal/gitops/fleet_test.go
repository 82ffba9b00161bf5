package gitops

import (
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/suite"
)

// fleet is a repository of packages, with three versions of each, that are installed on run clusters: three files for each install.
type fleet struct{ packages, clusters int }

func (r fleet) name(i int) string { return fmt.Sprintf("package-%d.example.com", i%r.packages) }
func (r fleet) dir(i int) string {
	return fmt.Sprintf("%s/cluster-%d", r.name(i), i/r.packages%r.clusters)
}

// files of a package install.
func (r fleet) files(i int) map[string]string {
	return map[string]string{
		r.dir(i) + "/packageinstall.yaml": fmt.Sprintf("apiVersion: packaging.carvel.dev/v1alpha1\nkind: PackageInstall\nmetadata: {name: install-%[1]d, namespace: apps}\n"+
			"spec: {serviceAccountName: sa, packageRef: {refName: %[2]s, versionSelection: {constraints: 1.0.0}}, values: [{secretRef: {name: install-%[1]d-values}}]}\n", i, r.name(i)),
		r.dir(i) + "/params.yaml": fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: install-%d-values, namespace: apps}\nstringData: {values.yaml: \"id: %x\\n\"}\n",
			i, BlobHash(fmt.Append(nil, i))),
		r.dir(i) + "/.terraform-provider-carvel": fmt.Sprintf("creation: %x\nowner: local-0a1b2c3d/default\nresource: carvel_package_install.test[\"%d\"]\n", BlobHash(fmt.Append(nil, "creation", i)), i),
	}
}

// generate writes the repository for git fast-import.
func (r fleet) generate(w io.Writer) {
	fmt.Fprint(w, "commit refs/heads/main\ncommitter A <a@example.com> now\ndata 1\nx\n")
	file := func(path, text string) { fmt.Fprintf(w, "M 100644 inline %s\ndata %d\n%s\n", path, len(text), text) }
	for p := range r.packages {
		for _, version := range []string{"1.0.0", "1.1.0", "2.0.0"} {
			file(r.name(p)+"/packages/"+version+".yaml", fmt.Sprintf("apiVersion: data.packaging.carvel.dev/v1alpha1\nkind: Package\nmetadata: {name: %[1]s.%[2]s}\n"+
				"spec: {refName: %[1]s, version: %[2]s, template: {spec: {fetch: [{imgpkgBundle: {image: registry.example.com/%[1]s@sha256:%[3]x}}]}}}\n",
				r.name(p), version, BlobHash([]byte(r.name(p)+version))))
		}
	}
	for i := range r.packages * r.clusters {
		for path, text := range r.files(i) {
			file(path, text)
		}
	}
}

// look reads what a plan reads of a package install: its files, and the versions of its package.
func (r fleet) look(t *testing.T, e *Engine, i int) {
	paths := []string{r.dir(i) + "/params.sops.yaml", r.dir(i) + "/overlays.yaml"}
	for path := range r.files(i) {
		paths = append(paths, path)
	}
	packages := r.name(i) + "/packages"
	if err := e.Prefetch(patient(t), append(paths, packages)...); err != nil {
		t.Error(err)
	}
	versions, err := e.List(patient(t), packages)
	if err != nil || len(versions) != 3 {
		t.Errorf("%d versions, %v", len(versions), err)
	}
	for _, v := range versions {
		if _, err := e.Read(patient(t), packages+"/"+v.Name); err != nil {
			t.Error(err)
		}
	}
	for path, want := range r.files(i) {
		if file, err := e.Read(patient(t), path); err != nil || string(file.Data) != want {
			t.Errorf("%s: %q, %v", path, file.Data, err)
		}
	}
}

// TestAhead_largeRepository: a plan and an apply of one or two package installs, each a process of its own, cost little in a repository
// of 31,000 files, of few packages on many clusters or of many on few.
func TestAhead_largeRepository(t *testing.T) {
	t.Parallel()
	suite.Acceptance(t, "takes long")
	for name, r := range map[string]fleet{"many clusters": {100, 103}, "many packages": {2500, 4}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "many packages" {
				suite.Acceptance(t, "takes long")
			}
			f := newFixture(t)
			f.generate(r.generate)
			for _, installs := range []int{1, 2} {
				f.reset()
				var e *Engine
				for range 2 {
					e = f.engine()
					for i := range installs {
						r.look(t, e, 1000+57*i)
					}
				}
				for i := range installs {
					apply(t, e, "Install", write(r.dir(1000+57*i)+"/overlays.yaml", fmt.Sprint(installs)))
				}
				requests, _ := f.requests()
				t.Logf("%d installs: %d requests, %d bytes up, %d bytes down", installs, requests, f.bytesIn(), f.bytesOut())
				if f.bytesIn() > 30_000 || f.bytesOut() > 300_000 {
					t.Errorf("%d installs took %d bytes up and %d down, want at most 30,000 and 300,000", installs, f.bytesIn(), f.bytesOut())
				}
			}
		})
	}
}

// TestAhead_many: a plan of 500 package installs costs a handful of requests, however many are looked at together.
func TestAhead_many(t *testing.T) {
	t.Parallel()
	suite.Acceptance(t, "takes long")
	f := newFixture(t)
	r := fleet{packages: 10, clusters: 50}
	f.generate(r.generate)
	for _, parallel := range []int{10, 3, 1} {
		f.reset()
		e := f.engine()
		var workers sync.WaitGroup
		work := make(chan int)
		for range parallel {
			workers.Go(func() {
				for i := range work {
					r.look(t, e, i)
				}
			})
		}
		for _, i := range rand.Perm(r.packages * r.clusters) {
			work <- i
		}
		close(work)
		workers.Wait()
		requests, _ := f.requests()
		t.Logf("%d at a time: %d requests, %d bytes up, %d bytes down", parallel, requests, f.bytesIn(), f.bytesOut())
		if requests > 10 {
			t.Errorf("500 package installs, %d at a time, took %d requests, want at most 10", parallel, requests)
		}
	}
}
