package health

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// installVerdict is a judgement on a PackageInstall.
type installVerdict struct {
	Verdict
	fresh bool // a failure of an attempt that was made since the wait began
	again bool // a failure that a further attempt has confirmed
}

// installRecord is what is remembered of a PackageInstall from one look to the next.
type installRecord struct {
	before   carvel.Attempt // at the first look
	failures Failures
	secrets  map[string]*secretRecord
	named    map[string]bool // Secrets that its annotations have named
}

// secretRecord is what is known of a Secret's present content. Each writer may
// write it more than once: kapp adds a record of its own a moment later.
type secretRecord struct {
	content  string
	written  time.Time
	created  bool // the Secret was made with it, so that no earlier one was read
	revision uint64
	// ends counts the runs that have ended since it was written, and last is the
	// latest of them. The second has begun after the first one's end.
	ends int
	last carvel.Attempt
	// alone tells that nothing but this write can have made the App run in the second
	// of the write.
	alone bool
}

// lookAtInstalls judges the PackageInstalls and remembers their failures.
func (j *Judge) lookAtInstalls(installs []ObservedInstall) []installVerdict {
	if j.installs == nil {
		j.installs = map[string]*installRecord{}
	}
	verdicts := make([]installVerdict, 0, len(installs))
	for _, o := range installs {
		key := o.Namespace + "/" + o.Name
		record := j.installs[key]
		if record == nil {
			record = &installRecord{before: o.attempt(), secrets: map[string]*secretRecord{}, named: map[string]bool{carvel.OverlaysSecretName(o.Name): true}}
			j.installs[key] = record
		}
		v := record.judge(o)
		v.Install = o.Name
		verdicts = append(verdicts, v)
	}
	return verdicts
}

func (o ObservedInstall) attempt() carvel.Attempt {
	if o.App == nil {
		return carvel.Attempt{}
	}
	return o.App.Attempt()
}

// revisions tell the state of the Secrets that the App reads, with every write.
func (o ObservedInstall) revisions() []string {
	all := make([]string, len(o.Reads))
	for i, s := range o.Reads {
		all[i] = fmt.Sprint(s.Content, s.Revision, s.Written)
	}
	return all
}

func (r *installRecord) judge(o ObservedInstall) installVerdict {
	r.observe(o)
	health := r.health(o)
	if health.State != Failed {
		r.failures.Forget()
		return installVerdict{Verdict: Verdict{Health: health}}
	}
	v := installVerdict{Verdict: Verdict{Health: health, Stage: carvel.StageDeploy}}
	if !o.ownFailure() {
		// Nothing was installed, as where no version is accepted. The PackageInstall
		// does not tell one attempt from another; the App repeats it with each of its
		// own.
		r.failures.Forget()
		v.fresh = true
		return v
	}
	v.Stage, v.Output = o.App.FailedStage(), o.App.Output(o.App.FailedStage())
	attempt := o.attempt()
	v.fresh = attempt != r.before
	// A second run since the Secret was written twice is no second try.
	v.again = r.failures.Add(attempt, fmt.Sprint(o.App.Version, o.revisions())) > 0
	return v
}

// observe remembers what a further observation shows.
func (r *installRecord) observe(o ObservedInstall) {
	if o.Status != nil {
		for _, name := range carvel.ExtensionSecrets(o.Status.Extensions) {
			r.named[name] = true
		}
	}
	for _, s := range o.Reads {
		if s.Missing {
			continue
		}
		known, seen := r.secrets[s.Name]
		if !seen || known.content != s.Content {
			known = &secretRecord{content: s.Content, written: s.Written, created: s.New && !seen, revision: s.Revision, alone: o.rests(s)}
			r.secrets[s.Name] = known
		}
		if o.App == nil || !o.App.Ended() || known.revision == 0 || o.App.Revision <= known.revision {
			continue
		}
		if attempt := o.App.Attempt(); attempt != known.last && attempt != r.before {
			known.ends, known.last = known.ends+1, attempt
		}
	}
}

// rests reports whether the App is not at work when the Secret is seen with new content,
// and has no other reason to run in the second of the write: its last run has ended
// well, the next one is not due, and the Secret was not written a moment before.
func (o ObservedInstall) rests(s ObservedSecret) bool {
	if o.App == nil || !o.App.Ended() || o.App.Condition() != carvel.ReconcileSucceeded || s.Earlier.IsZero() || !s.Earlier.Before(s.Written) {
		return false
	}
	last, period := o.App.LastUpdate(), o.App.Period()
	return last.Before(s.Written) && period > 0 && s.Written.Before(last.Add(period-settling))
}

// onlyWrite reports whether no other Secret was written in the same second.
func (r *installRecord) onlyWrite(reads []ObservedSecret, name string, at time.Time) bool {
	return !slices.ContainsFunc(reads, func(s ObservedSecret) bool {
		return s.Name != name && (s.Written.Equal(at) || r.secrets[s.Name].written.Equal(at))
	})
}

// ownFailure reports whether the PackageInstall failed since its App did.
func (o ObservedInstall) ownFailure() bool {
	return o.App != nil && o.App.Version == o.Status.Version && o.App.ObservedGeneration == o.App.Generation && o.App.Condition() == carvel.ReconcileFailed
}

// health is that of what the branch holds: a success or a failure of a run that
// began before it could read that does not count.
func (r *installRecord) health(o ObservedInstall) Health {
	if o.Status == nil {
		return Health{Pending, "it is not on the run cluster yet"}
	}
	app := o.App
	if app == nil {
		app = &carvel.InstallApp{} // it is not there yet
	}
	health := Install(*o.Status, app, 0)
	if health.State == Pending || health.State == Failed && !o.ownFailure() {
		return health
	}
	if o.Wanted != nil && !o.Status.Follows(o.Wanted) {
		return Health{Pending, "it does not have the annotations of the branch yet"}
	}
	for _, s := range o.Reads {
		if reason := s.absent(); reason != "" {
			return Health{Pending, reason}
		}
	}
	if behind := app.Behind(o.Status.Extensions, o.Values, slices.Sorted(maps.Keys(r.named))); behind != "" {
		return Health{Pending, "its App has not taken up " + behind + " yet"}
	}
	for _, s := range o.Reads {
		known := *r.secrets[s.Name]
		known.alone = known.alone && r.onlyWrite(o.Reads, s.Name, known.written)
		if reason := known.notRead(s.Name, *app, o.Quiet); reason != "" {
			return Health{Pending, reason}
		}
	}
	return health
}

// absent tells why the Secret does not hold what it is to hold, "" if it does.
func (s ObservedSecret) absent() string {
	switch {
	case s.Missing:
		return fmt.Sprintf("Secret %s is not on the run cluster yet", s.Name)
	case s.Differs:
		return fmt.Sprintf("Secret %s on the run cluster does not hold what the branch does yet", s.Name)
	}
	return ""
}

// settling is how long nothing may change, beside twice the time of a run, for a
// run that began in the second of a write to count as one that has read it: a write
// makes the controller run at once, and again if it met a run under way.
const settling = 5 * time.Second

// clockSlack is how far the clocks of the API server and the controller are taken
// for one: less cannot be told from the time that a write of the status takes.
const clockSlack = 2 * time.Second

// notRead tells why no run of the App is known to have begun after the Secret was
// written; "" if one is. Only the beginning of a run tells what it has read: one
// that was under way ends with the old values, as a success like any other. The
// controller's times are whole seconds, as the API server's are.
func (s secretRecord) notRead(name string, app carvel.InstallApp, quiet time.Duration) string {
	began, took, ok := app.Began()
	if !ok {
		return "its App has not run yet"
	}
	if ahead := app.LastUpdate().Sub(app.Reported); !app.Reported.IsZero() && ahead >= clockSlack {
		began = began.Add(-ahead) // nothing is updated after it was reported
	}
	same := began.Equal(s.written)
	switch {
	case began.After(s.written), (s.created || s.alone) && same, s.ends >= 2, same && quiet >= settling+2*took:
		return ""
	case same || quiet < settling+2*took:
		return fmt.Sprintf("its App has not run since Secret %s was written at %s", name, s.written.UTC().Format(time.RFC3339))
	}
	return fmt.Sprintf("its App has not run since Secret %s was written at %s, and the controller does not seem to have noticed: it runs when the "+
		"PackageInstall's sync_period ends, 10m by default. With hash_values_name = true a change of the values always makes it run", name, s.written.UTC().Format(time.RFC3339))
}
