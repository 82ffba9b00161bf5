package packageinstall

import (
	"context"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/privatestate"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// change is what an update, or a delete, does: what is new, what is different from what
// was seen, and what is no more.
func (r *packageInstalls) change(ctx context.Context, verb string, private privatestate.Reader, plan, state setModel, entries []entry) (delivery.InstallSet, diag.Diagnostics) {
	set := delivery.InstallSet{Creation: creation.Hold(state.Creation, types.StringNull(), types.BoolNull()).Creation}
	seen, diags := readSeen(ctx, private)
	others, d := readCreations(ctx, private)
	diags.Append(d...)
	unsure, d := privatestate.Get[bool](ctx, private, secretKey)
	diags.Append(d...)
	known, d := privatestate.Get[verified](ctx, private, verifiedKey)
	diags.Append(d...)
	prior, _, d := state.entries(ctx, types.DynamicNull())
	diags.Append(d...)
	if diags.HasError() {
		return set, diags
	}
	fail := func(err error) (delivery.InstallSet, diag.Diagnostics) {
		diags.Append(tfdiag.Failure{Verb: verb, Noun: setNoun, Name: state.title(), Err: err}.Diagnostic())
		return set, diags
	}
	current, err := r.secretBlobs(ctx, seen, state, prior)
	if err != nil {
		return fail(err)
	}
	before := func(name string) (installfiles.Before, error) {
		at := state.at(name)
		dir := r.data.Layout.Dir(at)
		b, wrong, err := seen.Before(dir, current[at])
		if wrong != "" {
			err = r.data.Installs.ChangedFile(ctx, r.data.Layout.Path(at, wrong))
		}
		return b, err
	}
	was := byName(prior)
	for _, e := range entries {
		p, there := was[e.name]
		delete(was, e.name)
		hold := plan.hold(e.name, others)
		hold.Creation = state.hold(e.name, others).Creation
		spec, d := e.spec(ctx, hold)
		if diags.Append(d...); d.HasError() {
			return set, diags
		}
		if !there {
			set.New = append(set.New, spec)
			continue
		}
		stays, err := r.stays(ctx, stay{seen: seen, verified: known, unsure: unsure, entry: e, prior: p}, spec)
		if err != nil {
			return fail(err)
		}
		if stays {
			continue
		}
		b, err := before(e.name)
		if err != nil {
			return fail(err)
		}
		set.Changed = append(set.Changed, delivery.ChangedInstall{PackageInstall: spec, Before: b})
	}
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if err := r.data.Installs.CheckMoved(ctx, state.at(name), texts(state.Paths)[name]); err != nil {
			return fail(err)
		}
		b, err := before(name)
		if err != nil {
			return fail(err)
		}
		set.Removed = append(set.Removed, delivery.RemovedInstall{At: state.at(name), Before: b.Blobs, Hold: state.hold(name, others)})
	}
	return set, diags
}

// secretBlobs are the present blobs of the packages whose files are remembered in a way
// that only these can be compared with.
func (r *packageInstalls) secretBlobs(ctx context.Context, seen installfiles.Seen, m setModel, entries []entry) (map[repolayout.Install]installfiles.Blobs, error) {
	var places []repolayout.Install
	for _, e := range entries {
		if seen.IsSecret(r.data.Layout.Dir(m.at(e.name))) {
			places = append(places, m.at(e.name))
		}
	}
	if len(places) == 0 {
		return nil, nil
	}
	return r.data.Installs.Look(ctx, places)
}

// stay is what tells whether the files of a package stay as they were seen.
type stay struct {
	seen         installfiles.Seen
	verified     verified
	unsure       bool // values may be write-only
	entry, prior entry
}

// isSecret reports whether the package may have values that the state does not tell.
func (s stay) isSecret() bool { return s.unsure || !s.entry.writeOnly.IsNull() }

// isVerified reports whether what is known of the files tells that they stay.
func (s stay) isVerified(by string) bool {
	return !s.isSecret() && s.verified.has(by, s.entry.name) && s.entry.says(s.prior)
}

// stays reports whether no file of a package is to be written: spec is what entry says.
// What is in the state tells what an encrypted file said when it was written.
func (r *packageInstalls) stays(ctx context.Context, s stay, spec delivery.PackageInstall) (bool, error) {
	if s.isVerified(r.data.Renderer()) {
		return true, nil
	}
	secret := !s.entry.writeOnly.IsNull()
	says, err := r.data.Installs.Says(spec)
	if err != nil {
		return false, err
	}
	dir := r.data.Layout.Dir(spec.At())
	if _, all := s.seen.Kept(dir, says, secret); all || s.isSecret() {
		return all, nil
	}
	if _, encrypted := says[repolayout.EncryptedParamsFile]; !encrypted || !s.prior.isKnown(ctx) {
		return false, nil
	}
	was, diags := s.prior.spec(ctx, delivery.Hold{})
	if diags.HasError() {
		return false, nil // it said nothing that could be compared
	}
	said, err := r.data.Installs.Says(was)
	if err != nil {
		return false, nil // likewise
	}
	_, all := s.seen.KeptAs(dir, says, said)
	return all, nil
}

func byName(entries []entry) map[string]entry {
	by := make(map[string]entry, len(entries))
	for _, e := range entries {
		by[e.name] = e
	}
	return by
}
