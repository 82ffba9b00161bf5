package protocoltest

import (
	"runtime/debug"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
)

// These tests make much garbage and keep little.
func init() { debug.SetGCPercent(800) }

// Data is the configuration "me" that reaches a world.
func Data(w *deliverytest.World) func() *providerdata.Data { return DataOf(w, "me") }

// DataOf is another one.
func DataOf(w *deliverytest.World, owner string) func() *providerdata.Data {
	return func() *providerdata.Data {
		return &providerdata.Data{Delivery: delivery.New(delivery.Config{
			Build: w.Build, Run: map[string]delivery.Cluster{"staging": w.Run}, Repository: w.Repository,
			Location: delivery.Location{URL: "https://git.example.com/r.git", Branch: "main"}, Owner: owner,
		}), Provider: "terraform-provider-carvel/test"}
	}
}
