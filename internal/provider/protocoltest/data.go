package protocoltest

import (
	"runtime/debug"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
)

// These tests make much garbage and keep little.
func init() { debug.SetGCPercent(800) }

// Data is the configuration "me" that reaches a world.
func Data(w *deliverytest.World) func() *providerdata.Data { return DataOf(w, "me") }

// DataWithout is the same configuration once the run cluster has been taken out of it:
// another one is left.
func DataWithout(w *deliverytest.World) func() *providerdata.Data {
	return func() *providerdata.Data {
		data := Data(w)()
		config := delivery.Config{
			Build: w.Build, Run: map[string]delivery.Cluster{"prod": deliverytest.NewCluster(w.Calls, "prod", "apps")}, Repository: w.Repository,
			Location: data.Location, Owner: "me",
		}
		data.Delivery = delivery.New(config)
		return data
	}
}

// DataDefaults is the same configuration with labels and annotations for all that is
// made.
func DataDefaults(w *deliverytest.World, defaults carvel.Metadata) func() *providerdata.Data {
	return func() *providerdata.Data {
		data := Data(w)()
		config := data.Config
		config.Defaults = defaults
		data.Delivery = delivery.New(config)
		return data
	}
}

// Unreached requires that nothing was asked of the run cluster since Forget.
func Unreached(t testing.TB, w *deliverytest.World) {
	t.Helper()
	for _, call := range w.Calls.Made() {
		if strings.HasPrefix(call, w.Run.Name()+" ") {
			t.Errorf("the run cluster is asked: %s", call)
		}
	}
}

// DataOf is another one.
func DataOf(w *deliverytest.World, owner string) func() *providerdata.Data {
	return func() *providerdata.Data {
		return &providerdata.Data{Delivery: delivery.New(delivery.Config{
			Build: w.Build, Run: map[string]delivery.Cluster{"staging": w.Run}, Repository: w.Repository,
			Location: delivery.Location{URL: "https://git.example.com/r.git", Branch: "main"}, Owner: owner,
		}), Provider: "terraform-provider-carvel/test"}
	}
}
