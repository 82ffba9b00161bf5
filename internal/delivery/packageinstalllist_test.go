package delivery

import (
	"fmt"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles/handwritten"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

func TestInRepository(t *testing.T) {
	d, server := repositoryDelivery(t)
	files, shapes := map[string]string{}, map[repolayout.Install]handwritten.Shape{}
	for i, shape := range handwritten.Shapes() {
		for _, runCluster := range []string{"staging", "prod"} {
			at := repolayout.Install{Package: fmt.Sprintf("app%02d.default.tap", i), RunCluster: runCluster}
			shapes[at] = shape
			for name, text := range shape.At(at.Package) {
				files[d.Installs.Layout.Path(at, name)] = text
			}
		}
	}
	if _, err := server.Seed(repository, "By hand", files); err != nil {
		t.Fatal(err)
	}
	d = again(t, d, server)
	found, err := d.Installs.InRepository(t.Context(), func(at repolayout.Install) bool { return at.RunCluster == "staging" })
	if err != nil || len(found) != len(shapes)/2 {
		t.Fatalf("found %d, want %d: %v", len(found), len(shapes)/2, err)
	}
	for _, l := range found {
		shape := shapes[l.At]
		said := ""
		if l.Problem != nil {
			said = l.Problem.Error()
		}
		if (shape.Problem == "") != (said == "") || !strings.Contains(said, shape.Problem) {
			t.Errorf("%s: %q, want %q", shape.Name, said, shape.Problem)
		}
		if said == "" && l.Install.PackageRef.RefName != l.At.Package {
			t.Errorf("%s: is of %q", shape.Name, l.Install.PackageRef.RefName)
		}
	}
}
