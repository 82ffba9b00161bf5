package main

// mutant is a mistake in one place, which a test must find that needs no lab.
type mutant struct {
	what     string
	file     string // below internal
	old, new string // old is there once
	packages []string
}

var (
	installs    = []string{"installfiles", "provider/packageinstall"}
	apps        = []string{"delivery", "provider/app"}
	namespaces  = []string{"delivery", "provider/runnamespace"}
	kubeconfigs = []string{"delivery", "provider/kubeconfigsecret"}
	proposals   = []string{"delivery"}
	merges      = []string{"gitops", "gitops/internal/odb"}
	since       = []string{"carvel/health"}
)

// mutants are in the layers that tell the story: what a configuration becomes, what is
// recorded of it, and what is waited for.
var mutants = []mutant{
	// A field that gets lost.
	{"a read that drops default_namespace", "provider/packageinstall/read.go", "\tm.DefaultNamespace = tfvalue.String(found.Install.DefaultNamespace)\n", "", installs},
	{"a plan that drops default_namespace", "provider/packageinstall/model.go", "\t\t\tDefaultNamespace: m.DefaultNamespace.ValueString(),\n", "", installs},
	{"an App that drops default_namespace", "provider/app/spec.go", "\ts.DefaultNamespace = m.DefaultNamespace.ValueString()\n", "", apps},
	{"a wrong annotation", "carvel/packageinstall.go", "packaging.carvel.dev/downgradable", "packaging.carvel.dev/downgradeable", []string{"carvel", "installfiles"}},
	{
		"a field that is written and never read back", "carvel/packageinstall.go", "\tNoopDelete         bool            `json:\"noopDelete,omitempty\"`\n",
		"\tNoopDelete         bool            `json:\"noopDelete,omitempty\"`\n\tFurther string `json:\"further,omitempty\"`\n", installs,
	},
	{"a field of App that has no attribute", "carvel/app.go", "\tNoopDelete         bool       `json:\"noopDelete,omitempty\"`\n", "\tNoopDelete         bool       `json:\"noopDelete,omitempty\"`\n\tFurther string `json:\"further,omitempty\"`\n", apps},
	{"overlays that are not read back", "installfiles/parse.go", "\tif overlays, ok := found[repolayout.OverlaysFile]; ok {", "\tif overlays, ok := found[\"\"]; ok {", installs},
	// A receipt that is forgotten.
	{"a namespace without its creation", "delivery/runnamespace.go", "\t\tr.Creation = mine.Creation\n", "", namespaces},
	{"an App without its creation", "delivery/app.go", "\tr.Creation, r.Secrets = mine.Creation, a.shownSecrets()\n", "\tr.Secrets = a.shownSecrets()\n", apps},
	{"a failed App that is not recorded", "provider/app/resource.go", "\tif done.Changed() {\n\t\tplan.Creation, plan.Adopted", "\tif done.Changed() && err == nil {\n\t\tplan.Creation, plan.Adopted", apps},
	{"a failed namespace that is not recorded", "provider/runnamespace/resource.go", "\tif done.Creation != \"\" {\n\t\tplan.Creation, plan.Adopted", "\tif done.Creation != \"\" && err == nil {\n\t\tplan.Creation, plan.Adopted", namespaces},
	{"an update that forgets what it has seen", "provider/packageinstall/resource.go", "before.Only(dir).See(dir, now.Blobs, now.Says, secret)", "before.Only(dir)", installs},
	// What must not be left, or lost.
	{"a token that nobody revokes", "delivery/kubeconfigsecret.go", "\t\tleft = ks.deleteTokens(ctx, s, live)\n", "", kubeconfigs},
	{"a token that is left where the Secret cannot be written", "delivery/kubeconfigsecret.go", "\tlive, err := apply(obj)\n\tif err != nil {\n\t\treturn KubeconfigSecretReceipt{}, ks.undoSource(ctx, s, source, err)\n", "\tlive, err := apply(obj)\n\tif err != nil {\n\t\treturn KubeconfigSecretReceipt{}, err\n", kubeconfigs},
	{"a delete of what another resource has", "delivery/ownership.go", "\t\treturn LeftTaken\n", "\t\treturn \"\"\n", installs},
	{"a directory that goes with its files", "delivery/packageinstall.go", "if err != nil || !kept.IsZero() {\n\t\treturn edits, err", "if err != nil || kept.IsZero() {\n\t\treturn edits, err", installs},
	{"an adoption of what the plan did not see", "delivery/adoption.go", "\tif !h.Adopt || h.Seen == nil || *h.Seen == found {", "\tif true {", []string{"delivery"}},
	{"a create that takes what is somebody else's", "delivery/ownership.go", "\tcase !adopt:\n", "\tcase false:\n", kubeconfigs},
	// What goes by a branch of its own.
	{"a request that was turned down and waits all the same", "delivery/proposals.go", "r != nil && r.State != forge.Open &&", "r != nil && r.State == forge.Merged &&", proposals},
	{"a commit that counts as landed before it is", "delivery/proposals.go", "\tcase err == nil && landed:\n", "\tcase err == nil || landed:\n", proposals},
	{"a removal that nobody waits for", "delivery/packageinstall.go", "if !is.proposals.Proposed() || len(places) == 0 {", "if true {", proposals},
	{"a request with nothing in it", "delivery/request.go", "\tif len(changes.files) == 0 {\n", "\tif false {\n", proposals},
	{"a push over commits of others", "gitops/merge.go", "case merged.Tree == root && len(foreign) == 0:", "case merged.Tree == root:", merges},
	{"a conflict that is pushed", "gitops/merge.go", "case len(merged.Conflicts) > 0:", "case false:", merges},
	{"a merge without the base's changes", "gitops/internal/odb/merge.go", "\t\tcase ours:\n\t\t\tchanged = theirs\n", "\t\tcase ours:\n\t\t\tchanged = ours\n", merges},
	// A wait that is not made, and a check that is not asked.
	{"an App that is not waited for", "delivery/app.go", "\tr, err := as.wait(ctx, build, a, live, obj, ran)\n\treturn a.written(r, live, obj, mine), err\n", "\treturn a.written(AppReceipt{UID: live.GetUID()}, live, obj, mine), nil\n", apps},
	{"a run cluster that nobody looks at", "delivery/appwait.go", "run != nil && w.app.Cluster != nil {", "run != nil && w.app.Cluster == nil {", apps},
	{"a namespace that is deleted under what is installed there", "delivery/runnamespacedelete.go", "\tif err := waitEmpty(ctx, c, s.Name); err != nil {\n\t\treturn nil, err\n\t}\n", "", namespaces},
	{"rights that nobody asks for", "provider/runnamespace/plan.go", "\terr := r.data.Namespaces.CheckRights(bounded, spec)\n", "\tvar err error\n\t_, _ = bounded, spec\n", namespaces},
	{"swapped arguments", "delivery/runnamespace.go", "\tmine := ns.mark(s.resource(), \"\")\n", "\tmine := ns.mark(\"\", s.resource())\n", namespaces},
	{"packages that come with the whole repository", "provider/app/spec.go", "\tdiags.Append(selectPackages(a.Packages, s)...)\n", "", apps},
	{"packages in another order for each list", "delivery/appsources.go", "range slices.Sorted(slices.Values(p.Names)) {", "range p.Names {", apps},
	{"packages of which a wait compares the first directory alone", "delivery/appselected.go", "\treturn !slices.ContainsFunc(sources, func", "\treturn !slices.ContainsFunc(sources[:min(1, len(sources))], func", apps},
	{"packages whose directories are written over", "delivery/appselected.go", ", IfBlob: new(gitops.Hash)})", "})", apps},
	{"packages whose directories are made, and not fetched", "delivery/app.go", "\ta.Kick = a.Kick || made\n", "\t_ = made\n", apps},
	{"packages that are missing, and nobody is told", "delivery/appwait.go", "\t\tas.withMissing(ctx, a, failed)\n", "", apps},
	{"packages that are missing, and the plan does not warn", "provider/app/plan.go", "\t\tmissing, err = r.data.Apps.Missing(bounded, spec)\n", "", apps},
	{"packages that the same run makes, and the plan warns", "provider/app/plan.go", "\t\treturn ok && r.data.Planned.Claimed(", "\t\treturn !ok && r.data.Planned.Claimed(", apps},
	{"packages of a state that nobody can read any more", "provider/app/resource.go", "state.found().spec(", "state.spec(", apps},
	// What belongs together.
	{"a set that writes its changes and leaves what is new", "delivery/packageinstallset.go", "range c.set.New {\n\t\tif err := write(", "range c.set.New[:0] {\n\t\tif err := write(", installs},
	{"a set that gives up what somebody has changed", "delivery/packageinstallset.go", "\t\t\treturn c.is.changedMeanwhile(ctx, p.PackageInstall, in, name == repolayout.MarkFile)\n", "\t\t\t_, c.set.Changed = name, nil\n\t\t\treturn nil\n", installs},
	{"a set that forgets what it did not write", "provider/packageinstall/set.go", "\t\t\tnow = now.With(before.Only(dir))\n", "", installs},
	{"a set that takes what was read for what it has written", "provider/packageinstall/set_private.go", "v.By == by && !slices.Contains(v.But, packageName)", "v.By == by || slices.Contains(v.But, packageName)", installs},
	{"a set that leaves write-only values that are no more", "provider/packageinstall/set_private.go", "\t\tif !e.writeOnly.IsNull() {", "\t\tif false {", installs},
	{"a set whose claims nobody sees", "provider/packageinstall/set_plan.go", "\t\tcase errors.Is(err, providerdata.ErrClaimed):\n", "\t\tcase false:\n", installs},
	{"a set that keeps no directory of what goes", "delivery/packageinstallset.go", "\t\tedits, err := c.is.removal(ctx, r.At, r.Before, now)\n", "\t\tedits, err := c.is.edits(r.At, installfiles.Removal(r.Before, now)), error(nil)\n", installs},
	{"a version that is not looked up", "provider/packageinstall/check.go", "\t\tplan.ResolvedVersion = types.StringValue(verdict.Version)\n", "", installs},
	// A time that is too early.
	{"ready since before the values were written", "carvel/health/since.go", "\t\tcase s.Written.Before(changed):\n", "\t\tcase true:\n", since},
	{"ready since a run that had read the old values", "carvel/health/since.go", "max(margin, period*11/10+looks)", "max(margin, 0*period)", since},
	{"ready since the second of a write", "carvel/health/since.go", "case s.Written.Before(r.App.Written):", "case !s.Written.After(r.App.Written):", since},
	{"ready since before a failure that is counted", "carvel/health/since.go", "time.Duration(r.App.Successes-1)*r.longest()", "time.Duration(r.App.Successes+200)*r.longest()", since},
	{"ready since before the App was written", "carvel/health/since.go", "if changed.Before(r.App.Written) {", "if changed.IsZero() {", since},
	{"ready since the controller stopped", "carvel/health/since.go", "r.Now.Sub(r.App.Reported) > 2*longest", "longest < 0", since},
	{"ready since a run that began in the second of a write", "carvel/health/since.go", "s.Written.Add(clockSlack)", "s.Written", since},
	{"ready since a run by a clock that is ahead", "carvel/health/since.go", "began.Add(-ahead)", "began.Add(0 * ahead)", since},
	{"ready since a run of the version before", "carvel/health/since.go", "\t\tif t.After(last) {\n\t\t\tlast = t", "\t\tif t.IsZero() {\n\t\t\tlast = t", since},
	{"ready since before annotations were written", "carvel/health/since.go", "r.Install.Written.After(r.App.Reported)", "false", since},
	{"ready since although a Secret cannot be read", "carvel/health/since.go", "\tif r.Unread != \"\" {\n\t\treturn r.Unread\n\t}\n", "", since},
	{"ready since a time that is to come", "carvel/health/since.go", "since.IsZero() || since.After(r.Now)", "since.IsZero()", since},
}
