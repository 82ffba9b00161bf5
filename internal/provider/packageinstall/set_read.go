package packageinstall

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"golang.org/x/sync/errgroup"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/creation"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/packed"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/privatestate"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/schemas"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfdiag"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// Read compares the files with what was seen of them, and reads those that are others.
func (r *packageInstalls) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state setModel
	resp.Diagnostics.Append(tfvalue.Get(ctx, req.State, &state)...)
	resp.Diagnostics.Append(setIdentity.Set(ctx, req.State, resp.Identity)...)
	timeout, diags := state.Timeouts.Read(ctx, schemas.ReadTimeout)
	resp.Diagnostics.Append(diags...)
	imported, diags := privatestate.Get[[]string](ctx, req.Private, importedKey)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() || r.data.Unknown.Git {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	read := setRead{r: r, state: state, imported: len(imported) > 0}
	resp.Diagnostics.Append(read.begin(ctx, req.Private, imported)...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(read.all(bounded)...)
	if resp.Diagnostics.HasError() {
		return
	}
	stand, err := read.stand(bounded)
	if err != nil {
		resp.Diagnostics.Append(tfdiag.Failure{Verb: "read", Noun: setNoun, Name: state.title(), Err: err}.Diagnostic())
		return
	}
	if len(read.entries) == 0 && read.gone > 0 {
		if !stand.waits() {
			resp.State.RemoveResource(ctx)
			return
		}
		resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, state.committed(stand))...)
		resp.Diagnostics.Append(writeSeenShort(ctx, resp.Private, read.seen)...)
		resp.Diagnostics.Append(removalWaits(state.title()))
		return
	}
	read.state = read.state.committed(stand)
	if read.imported {
		read.share()
		read.record()
		resp.Diagnostics.Append(privatestate.Set(ctx, resp.Private, importedKey, []string{})...)
	}
	resp.Diagnostics.Append(read.versions(bounded)...)
	read.state.Paths = r.paths(read.state, read.entries)
	if read.imported || read.gone > 0 || slices.ContainsFunc(read.entries, func(e entry) bool { return e.raw == nil }) {
		read.state.Packages = packagesOf(ctx, read.entries, read.state.Packages)
	}
	resp.Diagnostics.Append(tfvalue.SetState(ctx, &resp.State, read.state)...)
	if read.changed || read.gone > 0 {
		resp.Diagnostics.Append(writeSeenShort(ctx, resp.Private, read.seen)...)
		resp.Diagnostics.Append(writeCreations(ctx, resp.Private, read.others)...)
		resp.Diagnostics.Append(writeOthers(ctx, resp.Private, read.documents)...)
		resp.Diagnostics.Append(privatestate.Set(ctx, resp.Private, verifiedKey, read.known)...)
	}
}

// setRead is one look at a set.
type setRead struct {
	r        *packageInstalls
	state    setModel
	imported bool
	entries  []entry
	places   []repolayout.Install // of all that the state has
	seen     installfiles.Seen
	others   creations
	// documents of somebody else in the files
	documents others
	unsure    bool
	known     verified
	changed   bool            // a file is another than was seen
	renewed   bool            // a file is another than was seen, and this resource has written it
	settled   map[string]bool // packages whose versions are those of the state
	gone      int             // packages that are not there any more
}

// stand is where the packages have got to that the state has, also those that are gone.
func (s *setRead) stand(ctx context.Context) (commits, error) {
	return s.state.commits().read(ctx, s.r.data, s.renewed, s.places...)
}

func (s *setRead) begin(ctx context.Context, private privatestate.Reader, imported []string) diag.Diagnostics {
	var diags, d diag.Diagnostics
	s.seen, d = readSeen(ctx, private)
	diags.Append(d...)
	s.others, d = readCreations(ctx, private)
	diags.Append(d...)
	if s.others == nil {
		s.others = creations{}
	}
	s.documents, d = readOthers(ctx, private)
	diags.Append(d...)
	s.unsure, d = privatestate.Get[bool](ctx, private, secretKey)
	diags.Append(d...)
	s.known, d = privatestate.Get[verified](ctx, private, verifiedKey)
	diags.Append(d...)
	if !s.imported {
		s.entries, _, d = s.state.entries(ctx, types.DynamicNull())
		return append(diags, d...)
	}
	for _, name := range imported {
		e := entry{name: name, model: s.state.of(name), given: map[string]attr.Value{}}
		e.model.setDefaults()
		s.entries = append(s.entries, e)
	}
	return diags
}

// all reads the packages whose files have changed.
func (s *setRead) all(ctx context.Context) diag.Diagnostics {
	var diags diag.Diagnostics
	fail := func(err error) diag.Diagnostics {
		diags.Append(tfdiag.Failure{Verb: "read", Noun: setNoun, Name: s.state.title(), Err: err}.Diagnostic())
		return diags
	}
	places := make([]repolayout.Install, len(s.entries))
	for i, e := range s.entries {
		places[i] = s.state.at(e.name)
	}
	s.places = places
	// Both at once, so that they share requests.
	var now map[repolayout.Install]installfiles.Blobs
	both, looking := errgroup.WithContext(ctx)
	both.Go(func() (err error) { now, err = s.r.data.Installs.Look(looking, places); return err })
	var offers []string
	both.Go(func() (err error) {
		offers, err = s.r.data.Catalog.Fingerprints(looking, offered(s.entries))
		return err
	})
	if err := both.Wait(); err != nil {
		return fail(err)
	}
	var others []repolayout.Install
	for _, at := range places {
		if s.imported || !s.seen.Same(s.r.data.Layout.Dir(at), now[at]) {
			others = append(others, at)
		}
	}
	s.changed = len(others) > 0
	if s.changed {
		s.known.Offers = nil // they are about what the state said
	}
	s.settled = s.known.settled(s.r.data.Renderer(), offered(s.entries), offers)
	both, looking = errgroup.WithContext(ctx)
	both.Go(func() error { return s.r.data.Installs.Prefetch(looking, others) })
	both.Go(func() error { return s.r.data.Catalog.PrefetchPackages(looking, offeredBut(s.entries, s.settled)) })
	if err := both.Wait(); err != nil {
		return fail(err)
	}
	if !s.changed {
		return diags
	}
	left := s.entries[:0:0]
	for _, e := range s.entries {
		if !slices.Contains(others, s.state.at(e.name)) {
			left = append(left, e)
			continue
		}
		s.known.But = append(slices.DeleteFunc(s.known.But, func(name string) bool { return name == e.name }), e.name)
		there, d := s.one(ctx, &e)
		diags.Append(d...)
		if there {
			left = append(left, e)
		} else {
			s.gone++
		}
	}
	s.entries = left
	return diags
}

// one reads a package, and reports whether it is there.
func (s *setRead) one(ctx context.Context, e *entry) (there bool, diags diag.Diagnostics) {
	at := s.state.at(e.name)
	dir := s.r.data.Layout.Dir(at)
	fail := func(err error) (bool, diag.Diagnostics) {
		diags.Append(tfdiag.Failure{Verb: "read", Noun: noun, Name: title(e.model), Err: err}.Diagnostic())
		return true, diags
	}
	secret := s.unsure || s.seen.IsSecret(dir)
	found, receipt, err := (&packageInstall{data: s.r.data}).read(ctx, at, s.seen, s.imported)
	read := e.model
	if err == nil {
		read, err = e.model.read(ctx, found, secret, s.r.data.Defaults())
	}
	var unreadable *delivery.UnreadableError
	switch {
	case errors.Is(err, delivery.ErrNotFound):
		if err := s.r.data.Installs.CheckMoved(ctx, at, texts(s.state.Paths)[e.name]); err != nil {
			return fail(err)
		}
		s.documents = s.documents.with(e.name, nil)
		s.seen = s.seen.With(installfiles.Seen{}).See(dir, nil, nil, false)
		delete(s.others, e.name)
		return false, diags
	case errors.As(err, &unreadable) && s.imported:
		diags.Append(notImported(title(e.model), unreadable))
	case errors.As(err, &unreadable):
		diags.Append(unreadableFiles(dir, unreadable))
	case err != nil:
		return fail(err)
	default:
		e.take(read, s.state.of(e.name))
	}
	if s.imported && receipt.Mark.Creation != "" {
		s.others[e.name] = receipt.Mark.Creation
	}
	if (!s.state.Commit.IsNull() || !s.state.PendingCommit.IsNull()) && receipt.AsWritten && s.seen.Others(dir, receipt.Blobs) {
		s.renewed = true // by an update of this resource that was interrupted
	}
	if by, lost := s.r.data.Installs.Lost(at, receipt.Mark, s.state.hold(e.name, s.others)); lost {
		delete(receipt.Blobs, repolayout.MarkFile) // what is seen may be overwritten
		diags.Append(tfdiag.Taken(noun, title(e.model), by.Describe()))
	}
	s.seen = s.seen.With(installfiles.Seen{}).See(dir, receipt.Blobs, receipt.Says, secret)
	s.documents = s.documents.with(e.name, receipt.Foreign)
	return true, diags
}

// take has the entry say what was read. What the set shares is not said again.
func (e *entry) take(read, shares model) {
	shares.setDefaults()
	for name := range ofPackages() {
		now := read.get(name)
		if now.Equal(e.model.get(name)) {
			continue
		}
		if e.given = maps.Clone(e.given); now.Equal(shares.get(name)) || now.IsNull() {
			delete(e.given, name)
		} else {
			e.given[name] = now
		}
		e.raw = nil
	}
	e.model = read
}

// share has the set say what all of its packages say.
func (s *setRead) share() {
	for _, name := range shared {
		var all attr.Value
		same := len(s.entries) > 0
		for i, e := range s.entries {
			value, given := e.given[name]
			if same = same && given && (i == 0 || value.Equal(all)); !same {
				break
			}
			all = value
		}
		if !same {
			continue
		}
		s.state.set(name, all)
		for _, e := range s.entries {
			delete(e.given, name)
		}
	}
}

// record takes the creation of the first package that bears one for that of the set. It is
// the set's from now on, and the others stay as they are until their files are written.
func (s *setRead) record() {
	for _, e := range s.entries {
		if id, ok := s.others[e.name]; ok {
			s.state.Creation = creation.Imported(id)
			maps.DeleteFunc(s.others, func(_, other string) bool { return other == id })
			return
		}
	}
}

// versions are those that the constraints select now.
func (s *setRead) versions(ctx context.Context) diag.Diagnostics {
	var diags diag.Diagnostics
	s.r.askClusters(ctx, s.entries, false)
	before, now := texts(s.state.ResolvedVersions), map[string]string{}
	for _, e := range s.entries {
		if s.settled[e.name] {
			now[e.name] = before[e.name]
			continue
		}
		m := e.model
		m.ResolvedVersion = types.StringNull()
		if version, ok := before[e.name]; ok {
			m.ResolvedVersion = types.StringValue(version)
		}
		m, d := (&packageInstall{data: s.r.data}).readVersion(ctx, m)
		diags.Append(e.tell(d)...)
		if version := m.ResolvedVersion.ValueString(); version != "" {
			now[e.name] = version
		}
	}
	s.state.ResolvedVersions = types.MapValueMust(types.StringType, map[string]attr.Value{})
	if len(now) > 0 {
		s.state.ResolvedVersions = tfvalue.StringMap(now)
	}
	return diags
}

// askClusters asks each run cluster once for the packages that it offers.
func (r *packageInstalls) askClusters(ctx context.Context, entries []entry, again bool) {
	asked := map[delivery.PackageSource]bool{}
	for _, e := range entries {
		l, _, diags := e.model.lookup(ctx, r.data)
		if l == nil || diags.HasError() || l.source.Kind != delivery.FromCluster || asked[l.source] {
			continue
		}
		asked[l.source] = true
		if again {
			r.data.Catalog.Forget(l.source, "")
		}
		bounded, cancel := context.WithTimeout(ctx, e.model.lookTimeout(ctx, l.source))
		r.data.Catalog.AskOnce(bounded, l.source)
		cancel()
	}
}

// offered are the packages whose versions are looked up in the repository.
func offered(entries []entry) []string {
	return offeredBut(entries, nil)
}

func offeredBut(entries []entry, but map[string]bool) []string {
	var names []string
	for _, e := range entries {
		if e.model.PackageSource.ValueString() == delivery.FromRepository && !but[e.name] {
			names = append(names, e.name)
		}
	}
	return names
}

// packagesOf are entries as a configuration has them: a map if they were one before, and
// fit into it.
func packagesOf(ctx context.Context, entries []entry, before types.Dynamic) types.Dynamic {
	fields := map[string]attr.Value{}
	for _, e := range entries {
		fields[e.name] = e.value()
	}
	packages := tfvalue.ObjectOf(fields)
	opened, _ := packed.Open(ctx, before) // it has been read already
	if uniform, ok := opened.UnderlyingValue().(types.Map); ok {
		if converted, err := tfvalue.Convert(ctx, packages, uniform.Type(ctx)); err == nil {
			return types.DynamicValue(converted)
		}
	}
	return types.DynamicValue(packages)
}
