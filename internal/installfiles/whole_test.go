package installfiles

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/filltest"
)

// TestWholeSpec: every field is written and read back, also one that comes later. What
// is encrypted cannot be read back.
func TestWholeSpec(t *testing.T) {
	var s Spec
	filltest.Whole(t, &s)
	s.HiddenValuesSecret, s.Recipients = "", nil
	files, err := Render(s)
	if err != nil {
		t.Fatal(err)
	}
	got, ours, err := Parse(files.contents)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, got); diff != "" || len(ours) != len(files.contents) {
		t.Errorf("%d of %d files: %s", len(ours), len(files.contents), diff)
	}
}
