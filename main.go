// The Terraform provider carvel.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"runtime/debug"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider"
)

// version is set by the release build.
var version = "dev"

func main() {
	debugger := flag.Bool("debug", false, "run for a debugger such as delve")
	flag.Parse()
	keepQuiet(os.Environ(), os.Setenv)
	if os.Getenv("GOGC") == "" {
		// The process is short-lived and small: fewer collections take a fifth
		// off its CPU time, and add some twelve megabytes.
		debug.SetGCPercent(250)
	}
	err := providerserver.Serve(context.Background(), provider.New(version), providerserver.ServeOpts{
		Address: "registry.terraform.io/carvel-gitops/carvel",
		Debug:   *debugger,
	})
	if err != nil {
		log.Fatal(err)
	}
}

// keepQuiet turns off the plugin framework's own log where nobody asked for a
// log: it would be written at trace level, for Terraform to throw away.
func keepQuiet(environ []string, set func(name, value string) error) {
	for _, variable := range environ {
		if name, value, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "TF_LOG") && value != "" {
			return
		}
	}
	for _, name := range []string{"TF_LOG_SDK", "TF_LOG_SDK_PROTO", "TF_LOG_SDK_FRAMEWORK"} {
		if err := set(name, "off"); err != nil {
			log.Print(err)
		}
	}
}
