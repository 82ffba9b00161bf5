package kubeconfigsecret

import (
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
)

// recordKey is the key of a record in the resource's private state.
const recordKey = "written"

// record is what was last written, as far as it tells no secret.
type record struct {
	// Fingerprint tells from it what someone else has put there.
	Fingerprint string `json:"fingerprint"`
	// Issued and Expires are the life of a requested token.
	Issued  time.Time `json:"issued,omitzero"`
	Expires time.Time `json:"expires,omitzero"`
	// TokenSecret is the token Secret on the run cluster.
	TokenSecret string `json:"token_secret,omitempty"`
}

func (r record) life() kubeconfig.Life { return kubeconfig.Life{Issued: r.Issued, Expires: r.Expires} }

func recordOf(r delivery.KubeconfigSecretReceipt) record {
	return record{Fingerprint: r.Fingerprint, Issued: r.Token.Issued, Expires: r.Token.Expires, TokenSecret: r.TokenSecret}
}
