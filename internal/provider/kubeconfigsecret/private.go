package kubeconfigsecret

import (
	"context"
	"encoding/json"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

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

func setRecord(ctx context.Context, private interface {
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}, r record,
) diag.Diagnostics {
	data, err := json.Marshal(r)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Unable to write the resource's private state", err.Error())}
	}
	return private.SetKey(ctx, recordKey, data)
}

func getRecord(ctx context.Context, private interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
},
) (record, diag.Diagnostics) {
	var r record
	data, diags := private.GetKey(ctx, recordKey)
	if diags.HasError() || data == nil {
		return r, diags
	}
	if err := json.Unmarshal(data, &r); err != nil {
		diags.AddError("Unable to read the resource's private state", err.Error())
	}
	return r, diags
}
