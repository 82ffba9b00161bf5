package delivery

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// Fields of an App's spec that the provider sets for a moment: paused to have
// the controller run, noopDelete to have it leave what the App deployed. An
// annotation names them, so that what a process that was killed could not take
// back is told from what somebody wants.
const (
	pausedField = "paused"
	noopField   = "noopDelete"
)

// resumeTime is how long it is tried to take back what was set for a moment.
const resumeTime = 30 * time.Second

var momentaryPath = "/metadata/annotations/" + strings.ReplaceAll(carvel.MomentaryAnnotation, "/", "~1")

// momentary are the fields that the provider has set for a moment, but for those
// that the spec sets for good.
func (a App) momentary(live *unstructured.Unstructured) []string {
	text := live.GetAnnotations()[carvel.MomentaryAnnotation]
	return slices.DeleteFunc([]string{pausedField, noopField}, func(field string) bool {
		return !slices.Contains(strings.Split(text, ","), field) || field == pausedField && a.Paused || field == noopField && a.NoopDelete
	})
}

// setMomentarily sets a field for a moment.
func (a App) setMomentarily(ctx context.Context, build Cluster, live *unstructured.Unstructured, field string) (*unstructured.Unstructured, error) {
	fields := slices.DeleteFunc(a.momentary(live), func(f string) bool { return f == field })
	steps := []patchStep{
		{Op: "add", Path: "/spec/" + field, Value: true},
		{Op: "add", Path: momentaryPath, Value: strings.Join(append(fields, field), ",")},
	}
	if live.GetAnnotations() == nil {
		steps = slices.Insert(steps, 0, patchStep{Op: "add", Path: "/metadata/annotations", Value: map[string]string{}})
	}
	return a.patch(ctx, build, steps)
}

// takeBack ends what was set for a moment, also where ctx has ended. It returns
// the App as it was where that fails.
func (a App) takeBack(ctx context.Context, build Cluster, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	fields := a.momentary(live)
	if len(fields) == 0 {
		return live, nil
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), resumeTime)
	defer cancel()
	steps := []patchStep{{Op: "remove", Path: momentaryPath}}
	for _, field := range fields {
		if set, _, err := unstructured.NestedBool(live.Object, "spec", field); err == nil && set {
			steps = append(steps, patchStep{Op: "remove", Path: "/spec/" + field})
		}
	}
	back, err := a.patch(bounded, build, steps)
	if err != nil {
		return live, err
	}
	return back, nil
}

// patchStep is one of a JSON patch (RFC 6902).
type patchStep struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

func (a App) patch(ctx context.Context, build Cluster, steps []patchStep) (*unstructured.Unstructured, error) {
	text, err := json.Marshal(steps)
	if err != nil {
		return nil, err
	}
	live, err := build.Patch(ctx, a.ref(), text, a.Manager)
	if err != nil {
		return nil, a.gone(err)
	}
	return live, nil
}

// showMomentary adds what was set for a moment to the fields that are shown: an
// update takes it back.
func (a App) showMomentary(shape, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	fields := a.momentary(live)
	if len(fields) == 0 {
		return shape, nil
	}
	shape = shape.DeepCopy()
	for _, field := range fields {
		if err := unstructured.SetNestedField(shape.Object, true, "spec", field); err != nil {
			return nil, err
		}
	}
	return shape, nil
}
