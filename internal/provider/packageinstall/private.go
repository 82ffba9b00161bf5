package packageinstall

import (
	"context"
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// seenKey holds, in the resource's private state, the Git blobs of the files as
// they were last seen: what an update or a delete may overwrite.
const seenKey = "seen"

type privateReader interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
}

type privateWriter interface {
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

// seen maps paths to blobs, in hexadecimal digits. It has paths of two package
// installs while one is being replaced by the other.
type seen map[string]string

func readSeen(ctx context.Context, private privateReader) (seen, diag.Diagnostics) {
	s := seen{}
	data, diags := private.GetKey(ctx, seenKey)
	if diags.HasError() || data == nil {
		return s, diags
	}
	if err := json.Unmarshal(data, &s); err != nil {
		diags.AddError("Unable to read the resource's private state", err.Error())
	}
	return s, diags
}

func (s seen) write(ctx context.Context, private privateWriter) diag.Diagnostics {
	data, err := json.Marshal(s)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Unable to write the resource's private state", err.Error())}
	}
	return private.SetKey(ctx, seenKey, data)
}

func (s seen) set(l repolayout.Layout, at repolayout.Install, b delivery.Blobs) seen {
	s[l.PackageInstallPath(at)], s[l.ParamsPath(at)] = b.PackageInstall.String(), b.Params.String()
	return s
}

// blobs of a package install; those of a file that was not seen are zero.
func (s seen) blobs(l repolayout.Layout, at repolayout.Install) (delivery.Blobs, diag.Diagnostics) {
	var b delivery.Blobs
	var diags diag.Diagnostics
	for path, blob := range map[string]*gitops.Hash{l.PackageInstallPath(at): &b.PackageInstall, l.ParamsPath(at): &b.Params} {
		text, ok := s[path]
		if !ok {
			continue
		}
		var err error
		if *blob, err = gitops.ParseHash(text); err != nil {
			diags.AddError("Unable to read the resource's private state", err.Error())
		}
	}
	return b, diags
}
