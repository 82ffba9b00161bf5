package repolayout

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

func TestReadMark(t *testing.T) {
	m := Mark{
		Mark:  carvel.Mark{Creation: "1f", Owner: "acme/prod", Resource: "carvel_package_install a.b.c/staging"},
		Files: map[string]string{PackageInstallFile: "00"},
	}
	text, err := m.Render()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, ReadMark(Files{MarkFile: text})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(Mark{}, ReadMark(Files{PackageInstallFile: text})); diff != "" {
		t.Error(diff)
	}
	if got := ReadMark(Files{MarkFile: []byte("theirs")}); got.Creation != "theirs" {
		t.Errorf("%+v is nobody's", got)
	}
}
