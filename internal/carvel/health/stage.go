package health

import (
	"slices"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// Stage is the stage that a run of an App is in, one of carvel's; "" if no run is under
// way. A stage tells of itself once it is over, so that what the status tells of a
// later one is of the run before.
func Stage(s carvel.AppStatus) string {
	if s.Condition() != carvel.Reconciling || s.ObservedGeneration != s.Generation {
		return ""
	}
	switch {
	case s.Fetch == nil || later(s.Fetch.StartedAt, s.Fetch.UpdatedAt):
		return carvel.StageFetch
	case s.Template == nil || later(s.Fetch.UpdatedAt, s.Template.UpdatedAt):
		return carvel.StageTemplate
	case s.Deploy == nil || !s.Deploy.Finished || later(s.Template.UpdatedAt, s.Deploy.UpdatedAt):
		return carvel.StageDeploy
	default:
		return carvel.StageFetch // all of it is of the run before
	}
}

// stages are in the order in which a run goes through them.
var stages = []string{carvel.StageFetch, carvel.StageTemplate, carvel.StageDeploy}

// Through are the stages that a run has come to since it was seen in the stage before, up
// to the one that it is in now: a look may miss some. A success has gone through all, if
// the run was seen before.
func Through(before string, s carvel.AppStatus) (come []string, now string) {
	now = Stage(s)
	if now == carvel.StageFetch && (before == carvel.StageTemplate || before == carvel.StageDeploy) {
		now = carvel.StageDeploy // which is over, and the run has not said how it went
	}
	last := slices.Index(stages, now)
	if s.Condition() == carvel.ReconcileSucceeded && before != "" {
		last = len(stages) - 1
	}
	first := slices.Index(stages, before) + 1
	if last+1 < first {
		first = 0 // of another run
	}
	return stages[first : last+1], now
}

// later reports whether a time of a status is after another.
func later(text, other string) bool {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return false
	}
	o, err := time.Parse(time.RFC3339, other)
	return err != nil || t.After(o)
}
