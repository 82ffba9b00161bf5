// The Terraform provider carvel.
package main

import (
	"flag"
	"log"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/redacted"
)

// version is set by the release build.
var version = "dev"

func main() {
	debugger := flag.Bool("debug", false, "run for a debugger such as delve")
	flag.Parse()
	keepQuiet(os.Environ(), os.Setenv)
	if os.Getenv("GOGC") == "" {
		// The process is short-lived and small: fewer collections take a third
		// off its CPU time, and add some forty megabytes.
		debug.SetGCPercent(250)
		ballast = make([]byte, ballastSize)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		// Beyond it there are as many collections as it takes: the limits of the
		// Git engine, TestHostile_memory, count on it.
		debug.SetMemoryLimit(memoryLimit + int64(len(ballast)))
	}
	if !*debugger {
		go outlive(os.Getppid, parentPoll, lastWords, os.Exit)
	}
	var options []tf6server.ServeOpt
	if *debugger {
		options = append(options, tf6server.WithManagedDebug())
	}
	err := tf6server.Serve("registry.terraform.io/carvel-gitops/carvel", redacted.Server(provider.New(version)()), options...)
	if err != nil {
		log.Fatal(err)
	}
}

// ballast is never written to, so that it takes no memory. The collector counts
// it as in use, and begins at sixty megabytes instead of ten.
var ballast []byte

// In bytes: the size of the ballast, and the memory beside it for the collector to
// keep to.
const (
	ballastSize = 16 << 20
	memoryLimit = 384 << 20
)

// How often the provider looks whether Terraform is still there, and how long it
// stays when it is not: the requests of Terraform end with its connection, and
// wait no longer than ten seconds for the answers to what they have sent.
const (
	parentPoll = 500 * time.Millisecond
	lastWords  = 11 * time.Second
)

// outlive ends the process some time after its parent has gone, as where
// Terraform is killed: nobody else would end it. Windows never tells, so that a
// process stays there.
func outlive(parent func() int, poll, last time.Duration, exit func(int)) {
	first := parent()
	for parent() == first {
		time.Sleep(poll)
	}
	time.Sleep(last)
	exit(1)
}

// keepQuiet turns off the provider's log and the plugin framework's own if
// nobody asked for one: they would be written at trace level, for Terraform to
// throw away.
func keepQuiet(environ []string, set func(name, value string) error) {
	for _, variable := range environ {
		if name, value, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "TF_LOG") && value != "" {
			return
		}
	}
	for _, name := range []string{"TF_LOG_PROVIDER", "TF_LOG_SDK", "TF_LOG_SDK_PROTO", "TF_LOG_SDK_FRAMEWORK"} {
		if err := set(name, "off"); err != nil {
			log.Print(err)
		}
	}
}
