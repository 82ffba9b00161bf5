package delivery

import (
	"context"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
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

var momentaryPath = []string{"metadata", "annotations", carvel.MomentaryAnnotation}

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
	return a.edit(ctx, build, live, []cluster.FieldEdit{
		{Path: []string{"spec", field}, Value: true},
		{Path: momentaryPath, Value: strings.Join(append(fields, field), ",")},
	})
}

// takeBack ends what was set for a moment, also if ctx has ended. It returns
// the App as it was if that fails.
func (a App) takeBack(ctx context.Context, build Cluster, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	fields := a.momentary(live)
	if len(fields) == 0 {
		return live, nil
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), resumeTime)
	defer cancel()
	edits := []cluster.FieldEdit{{Path: momentaryPath}}
	for _, field := range fields {
		if set, _, err := unstructured.NestedBool(live.Object, "spec", field); err == nil && set {
			edits = append(edits, cluster.FieldEdit{Path: []string{"spec", field}})
		}
	}
	back, err := a.edit(bounded, build, live, edits)
	if err != nil {
		return live, err
	}
	return back, nil
}

func (a App) edit(ctx context.Context, build Cluster, live *unstructured.Unstructured, edits []cluster.FieldEdit) (*unstructured.Unstructured, error) {
	live, err := build.Edit(ctx, a.ref(), live, edits, a.Manager)
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
