package health

import (
	"fmt"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// Reconciled is a PackageInstall of which somebody wants to know since when it has been
// reconciled.
type Reconciled struct {
	Install carvel.InstallStatus
	App     *carvel.InstallApp // nil: it cannot be read
	// Reads are the Secrets that its App makes its content of.
	Reads []ObservedSecret
	// Unread tells why they are not all there, "" if they are.
	Unread string
	// Now is when all of this was read.
	Now time.Time
}

// A Since that is zero cannot be told; Reason says why, or why it is no earlier.
type Since struct {
	time.Time
	Reason string
}

// looks is how long the controller takes at most to look at a PackageInstall whose App has
// changed. For that long the PackageInstall may show the success of the run before.
const looks = time.Minute

// ReadySince is the time since which the selected version with the present values has
// been reconciled without a failure. It may be later than the truth and is never earlier.
//
// Conditions have no times, and those of an App's stages are of the last run, which every
// sync period brings. But the status of a PackageInstall changes only if what it says does,
// and the API server notes when. If nothing that the App reads was written after that, then
// the same success has been reported ever since; and the App counts the successes since its
// last failure, so that one which the PackageInstall has not taken over is noticed. If
// something was, all that is known is the end of the last run, which moves with each.
func ReadySince(r Reconciled) Since {
	if health := Install(r.Install, r.App, 0); health.State != Current {
		return Since{Reason: health.Reason}
	}
	if reason := r.untold(); reason != "" {
		return Since{Reason: reason}
	}
	lastRun, since := r.lastRun(), r.unchanged()
	switch {
	case lastRun.IsZero() && (since.IsZero() || since.After(r.Now)):
		return lastRun
	case since.IsZero() || !lastRun.IsZero() && lastRun.Before(since.Time):
		since.Time = lastRun.Time
	}
	return since
}

// untold is why nothing can be told, "" if something can.
func (r Reconciled) untold() string {
	if r.App == nil {
		return "its App cannot be read"
	}
	if r.Unread != "" {
		return r.Unread
	}
	if _, others := r.App.Content(); others {
		return "its App is made of a ConfigMap, or of what the cluster says of itself, whose changes are not told"
	}
	if behind := r.App.Behind(r.Install.Extensions, r.Install.Values, nil); behind != "" {
		return "its App has not taken up " + behind + " yet"
	}
	for _, s := range r.Reads {
		if s.Missing {
			return fmt.Sprintf("Secret %s is not there", s.Name)
		}
	}
	if _, _, ran := r.App.Began(); !ran || r.App.Reported.IsZero() || r.App.Written.IsZero() || r.Install.Changed.IsZero() {
		return "the API server does not say when the status was written"
	}
	if r.Install.Written.After(r.App.Reported) { // what annotations ask for raises no generation
		return fmt.Sprintf("the PackageInstall was written at %s, and its App has not run since", r.Install.Written.UTC().Format(time.RFC3339))
	}
	if longest := r.longest(); longest > 0 && r.Now.Sub(r.App.Reported) > 2*longest {
		return fmt.Sprintf("its App has not run since %s: the controller seems to be stopped", r.App.Reported.UTC().Format(time.RFC3339))
	}
	return ""
}

// longest is what lies between the ends of two runs at most while the controller works,
// 0 if it is not known. It waits for a period, of 30 seconds at least, and up to five
// seconds more; the rest is for a controller that has a lot to do.
func (r Reconciled) longest() time.Duration {
	period := r.App.Period()
	if period <= 0 {
		return 0
	}
	_, took, _ := r.App.Began()
	return max(period, 30*time.Second)*11/10 + 2*took + looks
}

// unchanged is since when the PackageInstall has reported the same success, the zero time
// if that does not tell of the present values.
func (r Reconciled) unchanged() Since {
	changed, period := r.Install.Changed, max(r.App.Period(), 30*time.Second)
	margin := looks
	for _, s := range r.Reads {
		switch {
		case s.Written.Before(r.App.Written): // every run of this App has read it
		case s.Written.Before(changed):
			// The run that has succeeded may have begun before. The write has started
			// another one, and the period would have.
			margin = max(margin, period*11/10+looks)
		default:
			return Since{Reason: fmt.Sprintf("Secret %s was written at %s, and the PackageInstall's status has not changed since: "+
				"all that is known is when the App's last run ended", s.Name, s.Written.UTC().Format(time.RFC3339))}
		}
	}
	if changed.Before(r.App.Written) {
		return Since{Reason: fmt.Sprintf("the App was written at %s, and the PackageInstall's status has not changed since: "+
			"all that is known is when the App's last run ended", r.App.Written.UTC().Format(time.RFC3339))}
	}
	if elapsed := r.App.Reported.Sub(changed); elapsed > looks+time.Duration(r.App.Successes-1)*r.longest() {
		return Since{Reason: fmt.Sprintf("the App counts %d successes in a row, too few for the time since %s: it has failed since, or the controller was stopped",
			r.App.Successes, changed.UTC().Format(time.RFC3339))}
	}
	return Since{Time: changed.Add(margin)}
}

// lastRun is when the App's last run ended, the zero time if it may not have read
// everything that is there.
func (r Reconciled) lastRun() Since {
	began, _, _ := r.App.Began()
	if ahead := r.App.LastUpdate().Sub(r.App.Reported); ahead > 0 {
		began = began.Add(-ahead) // nothing is updated after it was reported
	}
	for _, s := range r.Reads {
		if began.Before(s.Written.Add(clockSlack)) {
			return Since{Reason: fmt.Sprintf("its App is not known to have run since Secret %s was written at %s", s.Name, s.Written.UTC().Format(time.RFC3339))}
		}
	}
	last := r.App.Reported
	for _, t := range []time.Time{r.App.Written, r.Install.Changed} { // as of a version that is made like the one before
		if t.After(last) {
			last = t
		}
	}
	return Since{Time: last}
}
