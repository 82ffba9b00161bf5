// The Terraform provider carvel.
package main

import (
	"context"
	"flag"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider"
)

// version is set by the release build.
var version = "dev"

func main() {
	debug := flag.Bool("debug", false, "run for a debugger such as delve")
	flag.Parse()
	err := providerserver.Serve(context.Background(), provider.New(version), providerserver.ServeOpts{
		Address: "registry.terraform.io/carvel-gitops/carvel",
		Debug:   *debug,
	})
	if err != nil {
		log.Fatal(err)
	}
}
