package health

import (
	"slices"
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

// TestThrough: a look that comes late tells of the stages that it has missed.
func TestThrough(t *testing.T) {
	at := func(condition, stage string) carvel.AppStatus {
		s := carvel.AppStatus{Conditions: []carvel.Condition{{Type: condition}}}
		if stage == carvel.StageTemplate || stage == carvel.StageDeploy {
			s.Fetch = &carvel.StepStatus{}
		}
		if stage == carvel.StageDeploy {
			s.Template = &carvel.StepStatus{}
		}
		return s
	}
	const fetch, template, deploy = carvel.StageFetch, carvel.StageTemplate, carvel.StageDeploy
	for name, c := range map[string]struct {
		before string
		s      carvel.AppStatus
		want   []string
		now    string
	}{
		"the first look":            {"", at(carvel.Reconciling, fetch), []string{fetch}, fetch},
		"the same stage":            {fetch, at(carvel.Reconciling, fetch), nil, fetch},
		"the next":                  {fetch, at(carvel.Reconciling, template), []string{template}, template},
		"the first look is late":    {"", at(carvel.Reconciling, deploy), []string{fetch, template, deploy}, deploy},
		"one is missed":             {fetch, at(carvel.Reconciling, deploy), []string{template, deploy}, deploy},
		"the deploy is over":        {deploy, at(carvel.Reconciling, fetch), nil, deploy},
		"all but the end is over":   {template, at(carvel.Reconciling, fetch), []string{deploy}, deploy},
		"another run":               {deploy, at(carvel.Reconciling, template), []string{fetch, template}, template},
		"the end":                   {deploy, at(carvel.ReconcileSucceeded, deploy), nil, ""},
		"the end, and one missed":   {template, at(carvel.ReconcileSucceeded, deploy), []string{deploy}, ""},
		"a success of before":       {"", at(carvel.ReconcileSucceeded, deploy), nil, ""},
		"a failure":                 {fetch, at(carvel.ReconcileFailed, fetch), nil, ""},
		"a failure before any look": {"", at(carvel.ReconcileFailed, fetch), nil, ""},
	} {
		if come, now := Through(c.before, c.s); !slices.Equal(come, c.want) || now != c.now {
			t.Errorf("%s: %v, now %q", name, come, now)
		}
	}
}
