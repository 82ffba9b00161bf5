package kubeconfigsecret

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
)

// The values of token_source.
const (
	fromSecret  = "secret"
	fromRequest = "request"
)

// defaultTokenSeconds is 30 days: long enough for renewal by applies that are
// days apart.
const defaultTokenSeconds = 30 * 24 * 60 * 60

type serviceAccountModel struct {
	Namespace         types.String `tfsdk:"namespace"`
	Name              types.String `tfsdk:"name"`
	Server            types.String `tfsdk:"server"`
	TokenSource       types.String `tfsdk:"token_source"`
	ExpirationSeconds types.Int64  `tfsdk:"expiration_seconds"`
}

// serviceAccount is nil for an object that is null or unknown.
func serviceAccount(ctx context.Context, object types.Object) (*delivery.ServiceAccount, diag.Diagnostics) {
	if object.IsNull() || object.IsUnknown() {
		return nil, nil
	}
	var m serviceAccountModel
	diags := object.As(ctx, &m, basetypes.ObjectAsOptions{})
	account := &delivery.ServiceAccount{
		Namespace: m.Namespace.ValueString(),
		Name:      m.Name.ValueString(),
		Server:    m.Server.ValueString(),
	}
	if m.TokenSource.ValueString() == fromRequest {
		account.TokenSeconds = defaultTokenSeconds
		if !m.ExpirationSeconds.IsNull() {
			account.TokenSeconds = m.ExpirationSeconds.ValueInt64()
		}
	}
	return account, diags
}

// imported is the model of an account that was found.
func imported(a delivery.ServiceAccount) serviceAccountModel {
	m := serviceAccountModel{
		Namespace: types.StringValue(a.Namespace), Name: types.StringValue(a.Name), TokenSource: types.StringValue(fromSecret),
	}
	if a.TokenSeconds > 0 {
		m.TokenSource = types.StringValue(fromRequest)
		if a.TokenSeconds != defaultTokenSeconds {
			m.ExpirationSeconds = types.Int64Value(a.TokenSeconds)
		}
	}
	return m
}

// sameToken reports whether a token that was got for one account serves the
// other as well: all but where the API server is.
func sameToken(a, b *delivery.ServiceAccount) bool {
	return a != nil && b != nil && a.Namespace == b.Namespace && a.Name == b.Name && a.TokenSeconds == b.TokenSeconds
}

func timestamp(t time.Time) types.String {
	if t.IsZero() {
		return types.StringNull()
	}
	return types.StringValue(t.UTC().Format(time.RFC3339))
}
