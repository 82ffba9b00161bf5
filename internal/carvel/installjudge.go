package carvel

import (
	"fmt"
	"time"
)

// installVerdict is a judgement on a PackageInstall.
type installVerdict struct {
	Verdict
	fresh bool // a failure of an attempt that was made since the wait began
	again bool // a failure that a further attempt has confirmed
}

// lookAtInstalls judges the PackageInstalls and remembers their failures.
func (j *AppJudge) lookAtInstalls(installs []ObservedInstall) []installVerdict {
	if j.installs == nil {
		j.installs = map[string]*installRecord{}
	}
	verdicts := make([]installVerdict, 0, len(installs))
	for _, o := range installs {
		key := o.Namespace + "/" + o.Name
		record := j.installs[key]
		if record == nil {
			record = &installRecord{before: o.attempt()}
			j.installs[key] = record
		}
		v := record.judge(o)
		v.Install = o.Name
		verdicts = append(verdicts, v)
	}
	return verdicts
}

func (o ObservedInstall) attempt() Attempt {
	if o.App == nil {
		return Attempt{}
	}
	return o.App.Attempt()
}

// written are the times when the values were.
func (o ObservedInstall) written() []time.Time {
	times := make([]time.Time, len(o.Values))
	for i, s := range o.Values {
		times[i] = s.Written
	}
	return times
}

func (r *installRecord) judge(o ObservedInstall) installVerdict {
	health := o.health()
	if health.State != Failed {
		r.failure = nil
		return installVerdict{Verdict: Verdict{Health: health}}
	}
	v := installVerdict{Verdict: Verdict{Health: health, Stage: StageDeploy}}
	if !o.ownFailure() {
		// Nothing was installed, as where no version is accepted. The PackageInstall
		// does not tell one attempt from another; the App repeats it with each of its
		// own.
		r.failure, v.fresh = nil, true
		return v
	}
	v.Stage, v.Output = o.App.FailedStage(), o.App.Output(o.App.FailedStage())
	attempt := o.attempt()
	v.fresh = attempt != r.before
	content := fmt.Sprint(o.App.Version, o.written())
	if r.failure == nil || r.failure.content != content {
		r.failure = &failure{attempt, content}
	}
	v.again = r.failure.attempt != attempt
	return v
}

// ownFailure tells whether the PackageInstall failed since its App did.
func (o ObservedInstall) ownFailure() bool {
	return o.App != nil && o.App.Version == o.Status.Version && o.App.ObservedGeneration == o.App.Generation && o.App.Condition() == ReconcileFailed
}

// health is that of what the branch holds: a success or a failure that the
// controller reported before it had seen the values does not count.
func (o ObservedInstall) health() Health {
	if o.Status == nil {
		return Health{Pending, "it is not on the run cluster yet"}
	}
	app := o.App
	if app == nil {
		app = &InstallApp{} // it is not there yet
	}
	health := InstallHealth(*o.Status, app, 0)
	if health.State == Pending || health.State == Failed && !o.ownFailure() {
		return health
	}
	for _, s := range o.Values {
		if reason := s.notTaken(app.AppStatus); reason != "" {
			return Health{Pending, reason}
		}
	}
	return health
}

// notTaken tells why the App of a PackageInstall has not run with the values
// that the Secret holds, or that the branch does; "" where it has.
func (s ObservedSecret) notTaken(app AppStatus) string {
	switch {
	case s.Missing:
		return fmt.Sprintf("Secret %s with its values is not on the run cluster yet", s.Name)
	case s.Differs:
		return fmt.Sprintf("Secret %s on the run cluster does not hold the values of the branch yet", s.Name)
	}
	step := app.Template // which reads the values
	if app.Condition() == ReconcileFailed && app.FailedStage() == StageFetch {
		step = app.Fetch
	}
	if step == nil {
		return "its App has not run yet"
	}
	ran, err := time.Parse(time.RFC3339, step.UpdatedAt)
	if err != nil {
		return "its App does not tell when it ran"
	}
	// Both times are whole seconds, of two clocks that may be a little apart. What
	// was read of a Secret that is as it was created is what it holds.
	switch {
	case ran.After(s.Written), s.New && ran.Equal(s.Written), s.Settled && !ran.Before(s.Written.Add(-time.Second)):
		return ""
	}
	return fmt.Sprintf("its App has not run with the values that Secret %s holds since %s", s.Name, s.Written.UTC().Format(time.RFC3339))
}
