package packageinstall

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/privatestate"
)

// Keys of the resource's private state.
const (
	// seenKey holds the files as they were last seen: what an update or a delete
	// may overwrite.
	seenKey = "seen"
	// secretKey is there if a part of the values is kept out of the state, or may
	// have to be: what is imported has no configuration yet that tells which of the
	// values in Git are write-only, so that the state takes none of them.
	secretKey = "values_wo"
	// othersKey holds the documents in the files that are not the package install's; of a
	// set, by package.
	othersKey = "others"
)

// others are documents of somebody else in the files of package installs, by package.
type others map[string][]installfiles.Document

func readOthers(ctx context.Context, from privatestate.Reader) (others, diag.Diagnostics) {
	return privatestate.Get[others](ctx, from, othersKey)
}

// writeOthers writes nothing where there are none, and were none.
func writeOthers(ctx context.Context, in privatestate.State, now others) diag.Diagnostics {
	before, diags := readOthers(ctx, in)
	if len(before) == 0 && len(now) == 0 {
		return diags
	}
	diags.Append(privatestate.Set(ctx, in, othersKey, now)...)
	return diags
}

// with is a copy in which a package has these.
func (o others) with(packageName string, documents []installfiles.Document) others {
	out := others{}
	maps.Copy(out, o)
	if out[packageName] = documents; len(documents) == 0 {
		delete(out, packageName)
	}
	return out
}

// besides are those of a package in files that do not stay as they are.
func (o others) besides(packageName string, kept []string) []installfiles.Document {
	var lost []installfiles.Document
	for _, d := range o[packageName] {
		if !slices.Contains(kept, d.File) {
			lost = append(lost, d)
		}
	}
	return lost
}

func readSeen(ctx context.Context, private privatestate.Reader) (installfiles.Seen, diag.Diagnostics) {
	text, diags := privatestate.Get[json.RawMessage](ctx, private, seenKey)
	seen, err := installfiles.ParseSeen(text)
	if err != nil {
		diags.AddError("Unable to read the resource's private state", err.Error())
	}
	return seen, diags
}

func writeSeen(ctx context.Context, private privatestate.Writer, seen installfiles.Seen) diag.Diagnostics {
	text, err := seen.Text()
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Unable to write the resource's private state", err.Error())}
	}
	return privatestate.Set(ctx, private, seenKey, json.RawMessage(text))
}
