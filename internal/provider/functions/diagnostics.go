package functions

import (
	"errors"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
)

// notPortableText is notPortable in one text, of a function's argument.
func notPortableText(err error) string {
	var portability *kubeconfig.PortabilityError
	if !errors.As(err, &portability) {
		return err.Error()
	}
	text := "The kubeconfig cannot be used from the build cluster: " + portability.Text() + "."
	if portability.Dropped() {
		text += "\n\n" + tfdiag.DroppedFromKubeconfigs
	}
	return text
}
