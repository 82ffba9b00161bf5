package health

import (
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// TestStage goes through a first run and a second one, as the status tells of them.
func TestStage(t *testing.T) {
	step := func(started, updated string) *carvel.StepStatus {
		return &carvel.StepStatus{StartedAt: "2026-01-01T00:00:" + started + "Z", UpdatedAt: "2026-01-01T00:00:" + updated + "Z"}
	}
	finished := func(s *carvel.StepStatus) *carvel.StepStatus { s.Finished = true; return s }
	for name, c := range map[string]struct {
		fetch, template, deploy *carvel.StepStatus
		want                    string
	}{
		"the first run has begun":       {want: carvel.StageFetch},
		"the first fetch is over":       {fetch: step("01", "02"), want: carvel.StageTemplate},
		"the first template is over":    {fetch: step("01", "02"), template: step("02", "03"), want: carvel.StageDeploy},
		"the first deploy goes on":      {fetch: step("01", "02"), template: step("02", "03"), deploy: step("03", "04"), want: carvel.StageDeploy},
		"the next run has begun":        {fetch: step("01", "02"), template: step("02", "03"), deploy: finished(step("03", "04")), want: carvel.StageFetch},
		"the next fetch is marked":      {fetch: step("11", "02"), template: step("02", "03"), deploy: finished(step("03", "04")), want: carvel.StageFetch},
		"the next fetch is over":        {fetch: step("11", "12"), template: step("02", "03"), deploy: finished(step("03", "04")), want: carvel.StageTemplate},
		"the next template is over":     {fetch: step("11", "12"), template: step("12", "13"), deploy: finished(step("03", "04")), want: carvel.StageDeploy},
		"the next deploy goes on":       {fetch: step("11", "12"), template: step("12", "13"), deploy: step("13", "14"), want: carvel.StageDeploy},
		"a template without a time":     {fetch: step("11", "12"), template: &carvel.StepStatus{}, want: carvel.StageTemplate},
		"all of it in the same second":  {fetch: step("01", "01"), template: step("01", "01"), deploy: finished(step("01", "01")), want: carvel.StageFetch},
		"a fetch that does not tell it": {fetch: &carvel.StepStatus{}, template: step("01", "01"), deploy: step("01", "01"), want: carvel.StageDeploy},
	} {
		t.Run(name, func(t *testing.T) {
			s := carvel.AppStatus{
				Generation: 2, ObservedGeneration: 2, Conditions: []carvel.Condition{{Type: carvel.Reconciling}},
				Fetch: c.fetch, Template: c.template, Deploy: c.deploy,
			}
			if got := Stage(s); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			s.Generation = 3
			if got := Stage(s); got != "" {
				t.Errorf("a status of before is in the stage %q", got)
			}
			s.Generation, s.Conditions[0].Type = 2, carvel.ReconcileSucceeded
			if got := Stage(s); got != "" {
				t.Errorf("a run that is over is in the stage %q", got)
			}
		})
	}
}
