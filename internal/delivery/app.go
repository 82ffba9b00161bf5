package delivery

import (
	"context"
	"errors"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// Apps are the use cases about Apps on the build cluster.
type Apps struct {
	*ownership
	branch
	clusters
	Layout    repolayout.Layout
	to        branch // that commits go to
	proposals *Proposals
}

// App is an App on the build cluster.
type App struct {
	carvel.AppSpec
	RunCluster string      // that it delivers to, "" if it is not known
	Secrets    []AppSecret // its own, beside it
	Wait       bool        // until the run cluster runs what the repository holds
	Kick       bool        // have an update make the controller fetch again
	UID        types.UID   // that the state records, empty if it records none
	Orphan     bool        // a delete leaves what the App deployed
	Packages   *Packages   // that the spec delivers by their names, nil if it has none
	// CreateDirectories has the directories of its packages that are not on the branch
	// made before the App is written.
	CreateDirectories bool
	// Progress, if not nil, is told what the wait is waiting for.
	Progress func(string)
	// Stage, if not nil, is told which stage, one of carvel's, a run has come to.
	Stage func(string)
	ForCluster
}

// resource is what marks call it.
func (a App) resource() string { return "carvel_app " + a.Namespace + "/" + a.Name }

func (a App) ref() cluster.Ref {
	return cluster.Ref{Resource: carvel.Apps, Namespace: a.Namespace, Name: a.Name}
}

// AppReceipt says what is on the build cluster.
type AppReceipt struct {
	Creation string // that the App bears; empty: it was not written
	TakenBy  string // the resource that holds what was found now, "" for this one
	UID      types.UID
	Object   string // YAML of the fields that the spec sets, as they were applied or as they were found
	// Secrets are the App's own that are there, name to what can be shown of it.
	Secrets map[string]string
	Status  carvel.AppStatus
	// Unseen is why the PackageInstalls on the run cluster could not be looked at,
	// so that the App was judged by itself.
	Unseen    error
	Mutations []Mutation // of what was applied
	Left      []Left     // of what was to go
	// Undone tells that a step beside the wait is left, so that the next update
	// has to do it again.
	Undone bool
	// Deleting tells that the App is on its way out.
	Deleting bool
}

// Changed reports whether the App was written.
func (r AppReceipt) Changed() bool { return r.Creation != "" }

// CheckNew is an *ExistsError if an App that somebody else made is already
// on the build cluster, and a *cluster.NotServedError if that cluster knows
// no Apps. One that this configuration made for the same resource is gone on
// with, or about to be replaced. Of one that is to be adopted it tells what the
// adoption changes.
func (as *Apps) CheckNew(ctx context.Context, a App) (Adoption, error) {
	build, err := as.build()
	if err != nil {
		return Adoption{}, err
	}
	mine := carvel.Mark{Owner: as.Owner, Resource: a.resource()}
	if a.Adopt {
		obj, err := carvel.App(a.AppSpec)
		if err != nil {
			return Adoption{}, err
		}
		objects := append(a.secretObjects(), obj)
		found, err := findAll(ctx, build, refsOf(objects))
		if err != nil {
			return Adoption{}, err
		}
		return as.adoption(found, objects, mine)
	}
	live, err := find(ctx, build, a.ref())
	if err == nil && live != nil && (carvel.MarkOf(live).Creation != "" || !carvel.IsManaged(live)) {
		_, err = as.takeOver(build.Name(), live, mine, false)
	}
	return Adoption{}, err
}

// Create makes the App's own Secrets and the App, and waits for it. If
// the App cannot be made, no Secret stays. An App that an interrupted creation
// of the same resource has made is gone on with.
func (as *Apps) Create(ctx context.Context, a App) (AppReceipt, error) {
	a.Creation = ""
	return as.create(ctx, a)
}

func (as *Apps) create(ctx context.Context, a App) (AppReceipt, error) {
	build, err := as.build()
	if err != nil {
		return AppReceipt{}, err
	}
	obj, err := carvel.App(a.AppSpec)
	if err == nil {
		err = as.Check(ctx, a.AppSpec)
	}
	if err != nil {
		return AppReceipt{}, err
	}
	mine := as.mark(a.resource(), a.Creation)
	if len(a.Secrets) > 0 || a.CreateDirectories { // before anything is written
		if err := as.refuseExisting(ctx, build, []*unstructured.Unstructured{obj}, mine, a.Hold); err != nil {
			return AppReceipt{}, err
		}
	}
	adopt, err := as.adopt(ctx, build, a.ref().String(), append(a.secretObjects(), obj), mine, a.ForCluster)
	if err != nil {
		return AppReceipt{}, err
	}
	if _, err := as.makeDirectories(ctx, a); err != nil {
		return AppReceipt{}, err
	}
	made, err := as.createSecrets(ctx, build, a, mine, adopt)
	var live, before *unstructured.Unstructured
	if err == nil {
		live, before, err = as.establish(ctx, build, obj, mine, a.Manager, adopt)
	}
	if err != nil {
		return AppReceipt{}, errors.Join(err, as.undoSecrets(ctx, build, a, mine, made))
	}
	if live, err = a.takeBack(ctx, build, live); err != nil {
		return a.written(AppReceipt{UID: live.GetUID()}, live, obj, mine), err
	}
	ran := before == nil || before.GetGeneration() != live.GetGeneration()
	return as.reconcile(ctx, build, a, live, obj, mine, ran)
}

// undoSecrets deletes Secrets that were made for an App that could not be made.
func (as *Apps) undoSecrets(ctx context.Context, build Cluster, a App, mine carvel.Mark, made []cluster.Ref) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	how := ForCluster{Manager: a.Manager, Hold: Hold{Creation: mine.Creation}}
	var failed error
	for _, ref := range made {
		_, err := as.remove(ctx, build, ref, a.resource(), how)
		failed = errors.Join(failed, err)
	}
	return failed
}

// Update writes the App as it is to be, and waits. before is as it was. With
// Kick, and if nothing changed that the controller looks at, it makes the
// controller run again, so that what the repository holds now is deployed.
// An App that another resource has taken over is a *TakenOverError.
func (as *Apps) Update(ctx context.Context, before, a App) (AppReceipt, error) {
	build, err := as.build()
	if err != nil {
		return AppReceipt{}, err
	}
	obj, err := carvel.App(a.AppSpec)
	if err != nil {
		return AppReceipt{}, err
	}
	if err := as.Check(ctx, a.AppSpec); err != nil {
		return AppReceipt{}, err
	}
	old, err := build.Get(ctx, a.ref())
	if a.UID == "" && errors.Is(err, cluster.ErrNotFound) { // its own Secrets alone were left
		return as.create(ctx, a)
	}
	if err != nil {
		return AppReceipt{}, a.gone(err)
	}
	mine := as.mark(a.resource(), a.Creation)
	if theirs := carvel.MarkOf(old); as.lost(theirs, mine, a.Hold) {
		return AppReceipt{}, &TakenOverError{Where: build.Name(), What: a.ref().String(), By: theirs}
	}
	mine.Adopted = carvel.MarkOf(old).Adopted
	made, err := as.makeDirectories(ctx, a)
	if err != nil {
		return AppReceipt{}, err
	}
	a.Kick = a.Kick || made
	if err := as.updateSecrets(ctx, build, a, mine); err != nil {
		return AppReceipt{}, err
	}
	a.Ignore.preserve(obj, old)
	same := mine.On(obj)
	same.SetUID(old.GetUID()) // no other one is made if it has gone now
	live, err := build.Apply(ctx, a.ref(), same, a.Manager)
	if err != nil {
		return AppReceipt{}, a.gone(err)
	}
	dropped := slices.DeleteFunc(a.dropped(before), func(name string) bool { return carvel.UsesSecret(obj, name) })
	left, err := as.deleteSecrets(ctx, build, a, dropped)
	if err != nil {
		r := a.written(AppReceipt{UID: live.GetUID()}, live, obj, mine)
		r.Undone = true
		return r, err
	}
	if live, err = a.takeBack(ctx, build, live); err != nil {
		return a.written(AppReceipt{UID: live.GetUID()}, live, obj, mine), err
	}
	var r AppReceipt
	if ran := live.GetGeneration() != old.GetGeneration(); a.Kick {
		r, err = as.reconcile(ctx, build, a, live, obj, mine, ran)
	} else {
		r, err = as.wait(ctx, build, a, live, obj, ran)
		r = a.written(r, live, obj, mine)
	}
	r.Left = left
	return r, err
}

// reconcile makes the controller run, unless what was written has, and waits.
func (as *Apps) reconcile(ctx context.Context, build Cluster, a App, live, obj *unstructured.Unstructured, mine carvel.Mark, ran bool) (AppReceipt, error) {
	if a.Wait && !ran && !a.Paused && !a.Canceled && live.GetDeletionTimestamp() == nil && a.stopped(live) == nil {
		kicked, err := a.kick(ctx, build, live)
		if err != nil {
			return a.written(AppReceipt{UID: live.GetUID()}, live, obj, mine), err
		}
		live = kicked
		ran = true
	}
	r, err := as.wait(ctx, build, a, live, obj, ran)
	return a.written(r, live, obj, mine), err
}

// written is the receipt of an App that was written: with what was applied, and
// not what the cluster has made of it.
func (a App) written(r AppReceipt, live, obj *unstructured.Unstructured, mine carvel.Mark) AppReceipt {
	r.Creation, r.Secrets = mine.Creation, a.shownSecrets()
	r.Mutations = mutations(obj, live, a.Manager)
	if text, err := shown(obj, obj); err == nil { // it is what the plan has shown
		r.Object = text
	}
	return r
}

func (a App) shownSecrets() map[string]string {
	shown := map[string]string{}
	for _, s := range a.Secrets {
		shown[s.Name] = s.Shown()
	}
	return shown
}

// kick makes the controller reconcile at once: it looks at a change of the
// generation, so the App is paused and resumed.
func (a App) kick(ctx context.Context, build Cluster, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	paused, err := a.setMomentarily(ctx, build, live, pausedField)
	if err != nil {
		return nil, err
	}
	return a.takeBack(ctx, build, paused)
}

func readApp(live, shape *unstructured.Unstructured) (AppReceipt, error) {
	r := AppReceipt{UID: live.GetUID(), Deleting: live.GetDeletionTimestamp() != nil}
	var err error
	if r.Object, err = shown(live, shape); err != nil {
		return r, err
	}
	r.Status, err = carvel.ReadAppStatus(live)
	return r, err
}

// PlannedApp is the Object of a receipt once the spec is applied. before is the
// one that the state shows.
func PlannedApp(a App, before string) (string, error) {
	obj, err := carvel.App(a.AppSpec)
	if err != nil {
		return "", err
	}
	masked := &unstructured.Unstructured{Object: carvel.MaskApp(obj.Object)}
	a.Ignore.keepText(masked, before) // which is masked already
	return render(masked.Object, a.Name)
}

// readLeft reads what is left of an App that is gone: own Secrets of it, if
// its delete was interrupted. ErrNotFound if nothing is.
func (a App) readLeft(ctx context.Context, build Cluster) (AppReceipt, error) {
	r := AppReceipt{Secrets: map[string]string{}}
	for _, s := range a.Secrets {
		live, err := find(ctx, build, a.secretRef(s.Name))
		if err != nil {
			return r, err
		}
		if theirs := carvel.MarkOf(live); a.Creation != "" && theirs.Creation == a.Creation && !theirs.Adopted {
			r.Secrets[s.Name] = shownSecret(live, a.Manager.Name)
		}
	}
	if len(r.Secrets) == 0 {
		return r, ErrNotFound
	}
	return r, nil
}

// Read reads the App, ErrNotFound if it is missing. If own Secrets of it
// are left, the receipt has no UID.
func (as *Apps) Read(ctx context.Context, a App) (AppReceipt, error) {
	build, err := as.build()
	if err != nil {
		return AppReceipt{}, err
	}
	shape, err := carvel.App(a.AppSpec)
	if err != nil {
		return AppReceipt{}, err
	}
	live, err := find(ctx, build, refOf(shape))
	if err != nil {
		return AppReceipt{}, err
	}
	if live == nil {
		return a.readLeft(ctx, build)
	}
	if a.isReplaced(live, a.UID) {
		return AppReceipt{}, ErrNotFound
	}
	if shape, err = a.showMomentary(shape, live); err != nil {
		return AppReceipt{}, err
	}
	r, err := readApp(live, shape)
	if err != nil {
		return r, err
	}
	r.TakenBy = as.takenBy(a.resource(), carvel.MarkOf(live), a.Hold)
	r.Secrets, err = a.readSecrets(ctx, build)
	return r, err
}
