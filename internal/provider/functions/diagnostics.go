package functions

import (
	"errors"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
)

// notPortableText is notPortable in one text, of a function's argument.
func notPortableText(err error) string {
	var portability *kubeconfig.PortabilityError
	if !errors.As(err, &portability) {
		return err.Error()
	}
	return "The kubeconfig cannot be used from the build cluster: " + strings.Join(portability.Findings, "; ") + ".\n\n" + tfdiag.DroppedFromKubeconfigs
}
