package packageinstall

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"golang.org/x/sync/errgroup"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/privatestate"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// ModifyPlan shows whether there will be a commit, and refuses to plan what could not be.
func (r *packageInstalls) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		r.planDestroy(ctx, req, resp)
		return
	}
	defer setIdentity.PlanID(ctx, resp)
	var plan, config setModel
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Plan, &plan)...)
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.Config, &config)...)
	resp.Diagnostics.Append(r.data.CheckGit()...)
	if r.data != nil && len(r.data.Run) > 0 { // a workspace may configure no cluster and commit alone
		resp.Diagnostics.Append(r.data.CheckRunCluster(plan.RunCluster)...)
	}
	if resp.Diagnostics.HasError() || r.data == nil {
		return
	}
	leaves, diags := leavesFiles(ctx, req.State)
	if resp.Diagnostics.Append(diags...); leaves {
		var state setModel
		resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
		resp.Diagnostics.Append(state.orphanedBy(ctx, plan)...)
	}
	unknown := types.MapUnknown(types.StringType)
	plan.Paths, plan.ResolvedVersions, plan.Adopted = unknown, unknown, unknown
	plan = plan.committed(planned(r.data))
	entries, known, diags := plan.entries(ctx, config.ValuesWO)
	resp.Diagnostics.Append(diags...)
	if known && !plan.RunCluster.IsUnknown() && !r.data.Unknown.Git && !diags.HasError() {
		bounded, cancel := context.WithTimeout(ctx, schemas.PlanTimeout(ctx, plan.Timeouts))
		defer cancel()
		p := setPlan{r: r, req: req, resp: resp, plan: &plan, entries: entries}
		p.make(bounded)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(tfvalue.SetPlan(ctx, &resp.Plan, plan)...)
	creation.PlanUpdate(ctx, req, resp)
}

// setPlan plans a set whose packages are known.
type setPlan struct {
	r       *packageInstalls
	req     resource.ModifyPlanRequest
	resp    *resource.ModifyPlanResponse
	plan    *setModel
	entries []entry

	state   setModel
	prior   map[string]entry
	seen    installfiles.Seen
	others  creations
	unsure  bool // what is imported may have values that are write-only
	known   verified
	adopted map[string]string
	// documents of somebody else in the files
	documents others
	before    map[string]string // the versions that the state has
	settled   map[string]bool   // packages whose versions and values need no look
	hidden    []string          // packages that are written, and whose attributes stay as they are
}

func (p *setPlan) say(diags ...diag.Diagnostic) { p.resp.Diagnostics.Append(diags...) }

// make plans the attributes that the provider computes.
func (p *setPlan) make(ctx context.Context) {
	var d diag.Diagnostics
	p.prior = map[string]entry{}
	if !p.req.State.Raw.IsNull() {
		p.say(tfvalue.Get(ctx, p.req.State, &p.state)...)
		var prior []entry
		prior, _, d = p.state.entries(ctx, types.DynamicNull())
		p.say(d...)
		p.prior = byName(prior)
	}
	p.seen, d = readSeen(ctx, p.req.Private)
	p.say(d...)
	p.others, d = readCreations(ctx, p.req.Private)
	p.say(d...)
	p.unsure, d = privatestate.Get[bool](ctx, p.req.Private, secretKey)
	p.say(d...)
	p.known, d = privatestate.Get[verified](ctx, p.req.Private, verifiedKey)
	p.say(d...)
	p.documents, d = readOthers(ctx, p.req.Private)
	p.say(d...)
	p.adopted = map[string]string{}
	maps.Copy(p.adopted, texts(p.state.Adopted))
	p.before = texts(p.state.ResolvedVersions)
	if p.claim(); p.resp.Diagnostics.HasError() {
		return
	}
	if err := p.prefetch(ctx); err != nil {
		p.say(tfdiag.Failure{Verb: "plan", Noun: setNoun, Name: p.plan.title(), Err: err}.Diagnostic())
		return
	}
	p.r.askClusters(ctx, p.entries, false)
	same := !p.req.State.Raw.IsNull() && len(p.prior) == len(p.entries)
	versions := map[string]attr.Value{}
	for _, e := range p.entries {
		stays := p.files(ctx, e)
		same = same && stays
		if p.resp.Diagnostics.HasError() {
			return
		}
		if version := p.version(ctx, e, stays); !version.IsNull() {
			versions[e.name] = version
		}
	}
	p.plan.Paths = p.r.paths(*p.plan, p.entries)
	p.plan.ResolvedVersions = types.MapValueMust(types.StringType, versions)
	maps.DeleteFunc(p.adopted, func(name, _ string) bool {
		return !slices.ContainsFunc(p.entries, func(e entry) bool { return e.name == name })
	})
	if p.plan.Adopted = types.MapNull(types.StringType); len(p.adopted) > 0 {
		p.plan.Adopted = tfvalue.StringMap(p.adopted)
	}
	if same && p.state.Paths.Equal(p.plan.Paths) {
		*p.plan = p.plan.committed(p.state.commits())
		p.settle(ctx)
	}
	if len(p.hidden) > 0 {
		p.say(writtenAgain(p.hidden))
	}
}

// claim claims the places of the packages, and gives up those of packages that are no
// more.
func (p *setPlan) claim() {
	for _, e := range p.entries {
		_, prior := p.prior[e.name]
		switch err := p.r.data.Planned.Claim(place(e.model), p.req.Config.Raw, prior); {
		case errors.Is(err, providerdata.ErrClaimed):
			p.say(e.tell(diag.Diagnostics{sameFiles(p.r.data.Layout.Dir(p.plan.at(e.name)))})...)
		case errors.Is(err, providerdata.ErrRenamed):
			p.say(tfdiag.ReplacedInPlace(noun, title(e.model)))
		}
	}
	wanted := byName(p.entries)
	for _, name := range slices.Sorted(maps.Keys(p.prior)) {
		if _, stays := wanted[name]; stays {
			continue
		}
		if lost := p.documents.besides(name, nil); len(lost) > 0 {
			p.say(othersInFiles(p.r.data.Layout.Dir(p.plan.at(name)), lost))
		}
		if errors.Is(p.r.data.Planned.Destroy(place(p.prior[name].model)), providerdata.ErrRenamed) {
			p.say(tfdiag.ReplacedInPlace(noun, title(p.prior[name].model)))
		}
	}
}

// prefetch brings in what the plan reads: what is in the place of new packages, and the
// versions of all of them.
func (p *setPlan) prefetch(ctx context.Context) error {
	var places []repolayout.Install
	for _, e := range p.entries {
		if _, there := p.prior[e.name]; !there {
			places = append(places, p.plan.at(e.name))
		}
	}
	if len(p.known.Offers) > 0 {
		names := offered(slices.SortedFunc(maps.Values(p.prior), func(a, b entry) int { return strings.Compare(a.name, b.name) }))
		offers, err := p.r.data.Catalog.Fingerprints(ctx, names)
		if err != nil {
			return err
		}
		p.settled = p.known.settled(p.r.data.Renderer(), names, offers)
	}
	for _, e := range p.entries {
		if !p.isVerified(e) {
			delete(p.settled, e.name)
		}
	}
	both, looking := errgroup.WithContext(ctx) // so that they share requests
	both.Go(func() error { return p.r.data.Installs.Prefetch(looking, places) })
	both.Go(func() error { return p.r.data.Catalog.PrefetchPackages(looking, offeredBut(p.entries, p.settled)) })
	return both.Wait()
}

func (p *setPlan) stay(e entry) stay {
	return stay{seen: p.seen, verified: p.known, unsure: p.unsure, entry: e, prior: p.prior[e.name]}
}

// isVerified reports whether a package is known to stay as it is.
func (p *setPlan) isVerified(e entry) bool {
	_, there := p.prior[e.name]
	return there && p.stay(e).isVerified(p.r.data.Renderer())
}

// files plans those of a package, and reports whether they stay as they are.
func (p *setPlan) files(ctx context.Context, e entry) (stays bool) {
	prior, there := p.prior[e.name]
	if p.settled[e.name] || p.isVerified(e) {
		return true // whatever the files are made of
	}
	if !e.isKnown(ctx) {
		return false
	}
	hold := p.plan.hold(e.name, p.others)
	hold.Creation, hold.Seen = p.state.hold(e.name, p.others).Creation, nil
	spec, diags := e.spec(ctx, hold)
	if p.say(diags...); diags.HasError() {
		return false
	}
	if !there {
		p.new(ctx, e, spec)
		return false
	}
	stays, err := p.r.stays(ctx, p.stay(e), spec)
	if err != nil {
		p.say(tfdiag.Failure{Verb: "plan", Noun: noun, Name: title(e.model), Err: err}.Diagnostic())
		return false
	}
	if !stays {
		p.keepsOthers(e.name, spec)
	}
	if !stays && e.says(prior) {
		p.hidden = append(p.hidden, e.name)
	}
	return stays
}

// new looks for files that are in the way of a package that is new to the set.
func (p *setPlan) new(ctx context.Context, e entry, spec delivery.PackageInstall) {
	at := spec.At()
	dir := p.r.data.Layout.Dir(at)
	seen := p.seen
	ours := func(name string, blob installfiles.Blob) bool { return seen.Is(dir, name, blob) }
	var found delivery.NewPackageInstall
	planned, err := p.r.data.Installs.Plan(spec)
	if err == nil {
		found, err = p.r.data.Installs.CheckNew(ctx, at, planned, spec.Hold, ours)
	}
	if err != nil {
		p.say(tfdiag.Failure{Verb: "plan", Noun: noun, Name: title(e.model), Err: err}.Diagnostic())
		return
	}
	if found.Seen != "" {
		p.adopted[e.name] = found.Seen
	}
	p.say(tfdiag.Adopts(noun, title(e.model), found.Adoption)...)
	p.seen = p.seen.With(installfiles.Seen{}).See(dir, found.Blobs, nil, p.unsure || !e.writeOnly.IsNull())
	p.say(writeSeenShort(ctx, p.resp.Private, p.seen)...)
}

// version plans the version of a package, and refuses one that is not there and values
// that it does not take. It is null if none is looked up.
func (p *setPlan) version(ctx context.Context, e entry, stays bool) types.String {
	if e.unknown {
		return types.StringUnknown()
	}
	if p.settled[e.name] {
		return types.StringValue(p.before[e.name])
	}
	l, version, diags := e.model.lookup(ctx, p.r.data)
	if l == nil || diags.HasError() {
		p.say(e.tell(diags)...)
		return version
	}
	asked := e.model
	var before *model
	if prior, there := p.prior[e.name]; there {
		was := prior.model
		was.ResolvedVersion = types.StringValue(p.before[e.name])
		before = &was
	}
	if stays { // so does what is installed, and no file needs to be read to tell
		asked.AllowDowngrade = types.BoolValue(true)
	}
	verdict, d := (&packageInstall{data: p.r.data}).check(ctx, asked, before, l, e.model.document(e.writeOnly))
	if diags.Append(d...); stays {
		diags = alreadyCommitted(diags)
	}
	p.say(e.tell(diags)...)
	switch {
	case verdict.Version != "":
		return types.StringValue(verdict.Version)
	case before != nil && before.VersionConstraint.Equal(e.model.VersionConstraint) && before.Prereleases.Equal(e.model.Prereleases) && before.ResolvedVersion.ValueString() != "":
		return before.ResolvedVersion // the cluster cannot be asked now
	}
	return version
}

// settle notes of files that stay as they are what is known of them now that the
// configuration tells which values are write-only.
func (p *setPlan) settle(ctx context.Context) {
	changed := false
	for _, e := range p.entries {
		dir := p.r.data.Layout.Dir(p.plan.at(e.name))
		secret := !e.writeOnly.IsNull()
		if p.seen.IsSecret(dir) == secret {
			continue
		}
		spec, diags := e.spec(ctx, delivery.Hold{})
		if diags.HasError() {
			continue
		}
		says, err := p.r.data.Installs.Says(spec)
		blob, hasValues := says[repolayout.ParamsFile]
		// Of a file that says the same in another form, a read notes it.
		if err == nil && hasValues && p.seen.Is(dir, repolayout.ParamsFile, blob) {
			p.seen, changed = p.seen.With(installfiles.Seen{}).SeeSecret(dir, blob, secret), true
		}
	}
	if changed {
		p.say(writeSeenShort(ctx, p.resp.Private, p.seen)...)
	}
	p.say(privatestate.Change(ctx, p.resp.Private, secretKey, false)...)
	if now := verifiedBy(p.r.data.Renderer(), p.entries); p.known.By != now.By || !slices.Equal(p.known.But, now.But) {
		p.say(privatestate.Set(ctx, p.resp.Private, verifiedKey, now)...)
	}
}

// says reports whether an entry says what another one of the same package does, as far as
// the state shows it.
func (e entry) says(other entry) bool {
	for name := range ofPackages() {
		if !e.model.get(name).Equal(other.model.get(name)) {
			return false
		}
	}
	return true
}

// writtenAgain is the warning about files that are written although no attribute changes.
func writtenAgain(names []string) diag.Diagnostic {
	return diag.NewAttributeWarningDiagnostic(path.Root("packages"), fmt.Sprintf("The files of %d packages are written again", len(names)),
		"No attribute of these packages changes, and their files say something else than they are to: write-only values are others, "+
			"or somebody has changed what packages does not show.\n\n"+strings.Join(names, "\n"))
}

// checkApply checks again what the plan has checked, since it may not have known all of
// it. Nothing has been written by then. offers are what verified keeps of it.
func (r *packageInstalls) checkApply(ctx context.Context, plan *setModel, entries []entry) (offers []string, diags diag.Diagnostics) {
	versions, names := map[string]attr.Value{}, offered(entries)
	err := r.data.Catalog.PrefetchPackages(ctx, names)
	if err == nil { // before they are looked at: a change in between is seen by the next plan
		offers, err = r.data.Catalog.Fingerprints(ctx, names)
	}
	if err != nil {
		return nil, diag.Diagnostics{tfdiag.Failure{Verb: "look up the versions of", Noun: setNoun, Name: plan.title(), Err: err}.Diagnostic()}
	}
	r.askClusters(ctx, entries, true)
	for _, e := range entries {
		l, version, d := e.model.lookup(ctx, r.data)
		told := false
		if l != nil && !d.HasError() {
			verdict, checked := (&packageInstall{data: r.data}).check(ctx, e.model, nil, l, e.model.document(e.writeOnly))
			told = len(checked) > 0
			d.Append(checked.Errors()...)
			version = types.StringNull()
			if verdict.Version != "" {
				version = types.StringValue(verdict.Version)
			}
		}
		diags.Append(e.tell(d)...)
		planned, _ := plan.ResolvedVersions.Elements()[e.name].(types.String)
		if !planned.IsNull() && !planned.IsUnknown() {
			told = told || !planned.Equal(version)
			version = planned
		}
		if told {
			forget(names, offers, e.name)
		}
		if !version.IsNull() && !version.IsUnknown() {
			versions[e.name] = version
		}
	}
	plan.ResolvedVersions = types.MapValueMust(types.StringType, versions)
	return offers, diags
}
