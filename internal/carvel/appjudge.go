package carvel

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Observation is all that a wait for an App looks at.
type Observation struct {
	App     AppStatus
	Sources []Source
	// Installs are the PackageInstalls that the sources deploy, as the run cluster
	// has them; nil where nobody looks there.
	Installs []ObservedInstall
}

// Source is a directory of the provider's branch that an App fetches. Trees are
// ids of what a directory holds.
type Source struct {
	Directory string
	Commit    string // that was fetched, "" before the first fetch
	Tree      string // at that commit, "" where the server does not give it
	Tip       string // the branch's commit
	TipTree   string
}

// ObservedInstall is a PackageInstall that is to be on the run cluster.
type ObservedInstall struct {
	Namespace, Name string
	Status          *InstallStatus // nil: it is not there
	App             *InstallApp    // nil: it is not there
	// Wanted are the annotations of the branch that the controller acts upon; nil
	// where they are not known.
	Wanted map[string]string
	// Values are the names of the Secrets that its spec names.
	Values []string
	// Reads are all Secrets that its App reads.
	Reads []ObservedSecret
	// Quiet is how long none of these Secrets and not its App has changed.
	Quiet time.Duration
}

// ObservedSecret is a Secret on the run cluster that an App reads.
type ObservedSecret struct {
	Name    string
	Missing bool
	Differs bool      // it does not hold what the branch does
	Written time.Time // when it was last written, to the second, by the API server's clock
	New     bool      // it has not been written since it was created
	// Earlier is when it was last written before it had its present content, the zero
	// time where that was not seen.
	Earlier time.Time
	// Content tells one content from another, and Revision orders its changes among
	// those of other objects of the cluster; 0 where it does not.
	Content  string
	Revision uint64
}

// Verdict is a judgement on an App, with what a failure is of.
type Verdict struct {
	Health
	// Stage of a failure: fetch, template or deploy.
	Stage string
	// Install is the PackageInstall that failed, "" where the App itself did.
	Install string
	// Output is the last of what kapp has put out.
	Output string
	// Stale tells of an App that is pending since it repeats the failure of a
	// PackageInstall which has succeeded since: it tries again when its back-off
	// ends, unless it is made to run.
	Stale bool
}

// AppJudge judges an App from one observation after another. It takes success
// for success only when it is of what the branch holds now. A failure counts
// when it is of that, and a further attempt has failed as well: the first may be
// that of an earlier state of a PackageInstall, or of a Package that was being
// created.
type AppJudge struct {
	After int64 // generation that is waited for
	// Old is the attempt that the App was at before the wait, where the wait has
	// not made the controller run.
	Old      *Attempt
	app      *failure
	installs map[string]*installRecord
}

// failure is an attempt that failed, and what it was of.
type failure struct {
	attempt Attempt
	content string
}

// Judge judges the next observation.
func (j *AppJudge) Judge(o Observation) Verdict {
	installs := j.lookAtInstalls(o.Installs)
	health := AppHealth(o.App, j.After)
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
	if stage != StageFetch { // a failed fetch does not tell what it was of
		var reason string
		if content, reason = j.content(o); reason != "" {
			j.app = nil
			return pending("%s", reason)
		}
	}
	if health.State == Failed {
		return j.failed(o.App, stage, content, installs)
	}
	j.app = nil
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
	if o.App.Condition() != Reconciling || o.App.Deploy == nil || o.App.Deploy.Finished {
		return Verdict{}, false
	}
	for _, i := range o.Installs {
		if i.App != nil && i.App.Condition() == Reconciling && i.App.Deploy != nil && telling(i.App.Deploy.Stdout) != "" {
			return pending("PackageInstall %s: %s", i.Name, i.App.underWay()), true
		}
	}
	return Verdict{}, false
}

// content identifies what the App has fetched; reason tells why it is not what
// the branch holds.
func (j *AppJudge) content(o Observation) (content, reason string) {
	var trees []string
	for _, s := range o.Sources {
		switch {
		case s.Commit == "":
			return "", fmt.Sprintf("the App has not fetched %s yet", s.Directory)
		case s.Tree == "" && s.Commit != s.Tip && j.Old != nil && o.App.Attempt() == *j.Old:
			return "", fmt.Sprintf("the App has fetched %s at commit %s, and the branch is at %s", s.Directory, short(s.Commit), short(s.Tip))
		case s.Tree != "" && s.Tree != s.TipTree:
			return "", fmt.Sprintf("the App has fetched %s at commit %s, and the branch, at %s, holds something else by now", s.Directory, short(s.Commit), short(s.Tip))
		}
		trees = append(trees, s.TipTree)
	}
	return strings.Join(trees, " "), ""
}

// failed judges an App that has failed with what the branch holds.
func (j *AppJudge) failed(s AppStatus, stage, content string, installs []installVerdict) Verdict {
	again := j.app != nil && j.app.content == content && j.app.attempt != s.Attempt()
	if j.app == nil || j.app.content != content {
		j.app = &failure{s.Attempt(), content}
	}
	if stage == StageDeploy {
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

// repeats tells whether the message is kapp's about a PackageInstall that it
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
