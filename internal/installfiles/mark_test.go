package installfiles

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

func TestReadMark(t *testing.T) {
	m := Mark{
		Mark:  carvel.Mark{Creation: "1f", Owner: "acme/prod", Resource: "carvel_package_install a.b.c/staging"},
		Files: map[string]string{repolayout.PackageInstallFile: "00"},
	}
	text, err := m.render()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, ReadMark(Contents{repolayout.MarkFile: text})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(Mark{}, ReadMark(Contents{repolayout.PackageInstallFile: text})); diff != "" {
		t.Error(diff)
	}
	if got := ReadMark(Contents{repolayout.MarkFile: []byte("theirs")}); got.Creation != "theirs" {
		t.Errorf("%+v is nobody's", got)
	}
}
