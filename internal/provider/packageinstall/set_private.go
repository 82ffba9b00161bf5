package packageinstall

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/privatestate"
)

// Keys of a set's private state, beside seenKey and secretKey, which says that the write-only
// values are not known yet.
const (
	// creationsKey holds the creations of packages that bear another one than the set's.
	creationsKey = "creations"
	// importedKey names the packages that are to be read.
	importedKey = "imported"
)

// verified tells which packages are known to have files that say what the state does, so
// that a plan which changes neither has nothing to render.
type verified struct {
	// By is the provider that has written or compared them: another version of it may
	// render something else.
	By string `json:"by"`
	// But are packages whose files were read since then, or hold write-only values, which
	// the state does not tell.
	But []string `json:"but,omitempty"`
	// Offers are the fingerprints of the packages whose versions are looked up in the
	// repository, in the order of their names, as they were when the versions of the state
	// were selected and the values checked. It is "" where there was something to tell.
	Offers []string `json:"offers,omitempty"`
}

// verifiedBy is what is known once all files say what the entries do.
func verifiedBy(by string, entries []entry) verified {
	v := verified{By: by}
	for _, e := range entries {
		if !e.writeOnly.IsNull() {
			v.But = append(v.But, e.name)
		}
	}
	return v
}

// settled are those of the packages in the state for which the repository offers what it
// did then. names are all whose versions are looked up there.
func (v verified) settled(by string, names, offers []string) map[string]bool {
	settled := map[string]bool{}
	for i, name := range names {
		settled[name] = v.By == by && len(v.Offers) == len(names) && v.Offers[i] == offers[i]
	}
	return settled
}

const verifiedKey = "verified"

func (v verified) has(by, packageName string) bool {
	return v.By == by && !slices.Contains(v.But, packageName)
}

// creations are ids of creations by package.
type creations map[string]string

func readCreations(ctx context.Context, from privatestate.Reader) (creations, diag.Diagnostics) {
	return privatestate.Get[creations](ctx, from, creationsKey)
}

// writeCreations writes nothing that is kept already.
func writeCreations(ctx context.Context, in privatestate.State, now creations) diag.Diagnostics {
	before, diags := readCreations(ctx, in)
	if len(before) == 0 && len(now) == 0 {
		return diags
	}
	diags.Append(privatestate.Set(ctx, in, creationsKey, now)...)
	return diags
}

// writeSeenShort is writeSeen for a set.
func writeSeenShort(ctx context.Context, private privatestate.Writer, seen installfiles.Seen) diag.Diagnostics {
	text, err := seen.Short()
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Unable to write the resource's private state", err.Error())}
	}
	return privatestate.Set(ctx, private, seenKey, json.RawMessage(text))
}

// forget has the next plan look at a package.
func forget(names, offers []string, packageName string) {
	if i := slices.Index(names, packageName); i >= 0 {
		offers[i] = ""
	}
}

// recordOffers notes what an update has seen that writes no file.
func recordOffers(ctx context.Context, private privatestate.State, offers []string) diag.Diagnostics {
	known, diags := privatestate.Get[verified](ctx, private, verifiedKey)
	if diags.HasError() || slices.Equal(known.Offers, offers) {
		return diags
	}
	known.Offers = offers
	return append(diags, privatestate.Set(ctx, private, verifiedKey, known)...)
}
