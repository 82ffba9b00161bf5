package health

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// Observation is all that a wait for an App looks at.
type Observation struct {
	App     carvel.AppStatus
	Sources []Source
	// Installs are the PackageInstalls that the sources deploy, as the run cluster
	// has them; nil if nobody looks there.
	Installs []ObservedInstall
}

// Verdict is a judgement on an App, with what a failure is of.
type Verdict struct {
	Health
	// Stage of a failure: fetch, template or deploy.
	Stage string
	// Install is the PackageInstall that failed, "" if the App itself did.
	Install string
	// Output is the last of what kapp has put out.
	Output string
	// Stale tells of an App that is pending since it repeats the failure of a
	// PackageInstall which has succeeded since: it tries again when its back-off
	// ends, unless it is made to run.
	Stale bool
}

// Judge judges an App from one observation after another. It takes success
// for success only when it is of what the branch holds now. A failure counts
// when it is of that, and a further attempt has failed as well: the first may be
// that of an earlier state of a PackageInstall, or of a Package that was being
// created.
type Judge struct {
	After int64 // generation that is waited for
	// Old is the attempt that the App was at before the wait, if the wait has
	// not made the controller run.
	Old      *carvel.Attempt
	app      Failures
	installs map[string]*installRecord
}

// Judge judges the next observation.
func (j *Judge) Judge(o Observation) Verdict {
	installs := j.lookAtInstalls(o.Installs)
	health := App(o.App, j.After)
	if health.State == Pending {
		if deep, ok := underWay(o); ok {
			return deep
		}
		return Verdict{Health: health}
	}
	content, stage := "", ""
	if health.State == Failed {
		stage = o.App.FailedStage()
		content = stage
	}
	if stage != carvel.StageFetch { // a failed fetch does not tell what it was of
		var reason string
		if content, reason = j.content(o); reason != "" {
			j.app.Forget()
			return pending("%s", reason)
		}
	}
	if health.State == Failed {
		return j.failed(o.App, stage, content, installs)
	}
	j.app.Forget()
	for _, v := range installs {
		switch {
		case v.State == Failed && v.again:
			return v.Verdict
		case v.State == Failed:
			return pending("PackageInstall %s has failed, and the next attempt decides: %s", v.Install, v.Reason)
		case v.State == Pending:
			return pending("PackageInstall %s: %s", v.Install, v.Reason)
		}
	}
	return Verdict{Health: health}
}

// underWay tells of a PackageInstall that the App's run waits for: what kapp says
// there is closer to the cause.
func underWay(o Observation) (Verdict, bool) {
	if o.App.Condition() != carvel.Reconciling || o.App.Deploy == nil || o.App.Deploy.Finished {
		return Verdict{}, false
	}
	for _, i := range o.Installs {
		if i.App != nil && i.App.Condition() == carvel.Reconciling && i.App.Deploy != nil && telling(i.App.Deploy.Stdout) != "" {
			return pending("PackageInstall %s: %s", i.Name, progress(i.App.AppStatus)), true
		}
	}
	return Verdict{}, false
}

// content identifies what the App has fetched; reason tells why it is not what
// the branch holds.
func (j *Judge) content(o Observation) (content, reason string) {
	var trees []string
	for _, s := range o.Sources {
		switch {
		case s.Commit == "":
			return "", fmt.Sprintf("the App has not fetched %s yet", s.Directory)
		case s.Tree == "" && s.Commit != s.Tip && j.Old != nil && o.App.Attempt() == *j.Old:
			return "", fmt.Sprintf("the App has fetched %s at commit %s, and the branch is at %s", s.Directory, short(s.Commit), short(s.Tip))
		case s.Tree != "" && s.Tree != s.TipTree:
			return "", fmt.Sprintf("the App has fetched %s at commit %s, and the branch, at %s, holds something else now", s.Directory, short(s.Commit), short(s.Tip))
		}
		trees = append(trees, s.TipTree)
	}
	return strings.Join(trees, " "), ""
}

// failed judges an App that has failed with what the branch holds.
func (j *Judge) failed(s carvel.AppStatus, stage, content string, installs []installVerdict) Verdict {
	again := j.app.Add(s.Attempt(), content) > 0
	if stage == carvel.StageDeploy {
		installs = slices.DeleteFunc(installs, func(v installVerdict) bool { return !repeats(s.Message(), v.Install) })
		if len(installs) > 0 {
			return failedInstalls(installs, again)
		}
	}
	if !again {
		return pending("the App has failed in the %s stage, and the next attempt decides: %s", stage, s.Message())
	}
	return Verdict{Health: Health{Failed, s.Message()}, Stage: stage, Output: s.Output(stage)}
}

// repeats reports whether the message is kapp's about a PackageInstall that it
// waited for.
func repeats(message, install string) bool {
	_, rest, found := strings.Cut(message, "waiting on reconcile packageinstall/"+install+" ")
	return found && strings.Contains(rest, "Finished unsuccessfully")
}

// failedInstalls judges an App that repeats what PackageInstalls reported. That
// may have been of before, so that the PackageInstalls have the last word. again
// tells that the App has repeated it in a further attempt.
func failedInstalls(installs []installVerdict, again bool) Verdict {
	for _, v := range installs {
		if v.State == Failed && (v.again || v.fresh && again) {
			return v.Verdict
		}
	}
	for _, v := range installs {
		switch v.State {
		case Failed:
			return pending("PackageInstall %s has failed, and the next attempt decides: %s", v.Install, v.Reason)
		case Pending:
			return pending("PackageInstall %s: %s", v.Install, v.Reason)
		}
	}
	v := pending("the App repeats an earlier failure of PackageInstall %s, which has succeeded since", installs[0].Install)
	v.Stale = true
	return v
}

func pending(format string, args ...any) Verdict {
	return Verdict{Health: Health{Pending, fmt.Sprintf(format, args...)}}
}

// short is a commit as people write it.
func short(commit string) string {
	if len(commit) > 10 {
		return commit[:10]
	}
	return commit
}
