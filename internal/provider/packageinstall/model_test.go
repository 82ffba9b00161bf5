package packageinstall

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/filltest"
)

// TestModel: every field of a spec is in the model and comes back from it, also one that
// comes later.
func TestModel(t *testing.T) {
	whole := delivery.PackageInstall{RunCluster: "staging"}
	filltest.Whole(t, &whole.Spec)
	whole.HiddenValuesSecret = "" // of files that were read
	whole.Install.SyncPeriod = "1m0s"
	before := model{Package: types.StringValue(whole.Install.PackageRef.RefName), RunCluster: types.StringValue("staging")}
	m, err := before.read(context.Background(), whole, false, carvel.Metadata{})
	if err != nil {
		t.Fatal(err)
	}
	// Only a configuration has them.
	writeOnly := types.DynamicValue(types.ObjectValueMust(nil, nil))
	got, diags := m.spec(context.Background(), writeOnly)
	if diags.HasError() {
		t.Fatal(diags)
	}
	got.Hold = delivery.Hold{} // of no spec
	if diff := cmp.Diff(whole, got); diff != "" {
		t.Error(diff)
	}
}
