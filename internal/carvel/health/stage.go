package health

import (
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

// later reports whether a time of a status is after another.
func later(text, other string) bool {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return false
	}
	o, err := time.Parse(time.RFC3339, other)
	return err != nil || t.After(o)
}
