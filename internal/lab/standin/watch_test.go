package standin_test

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/yaml"
)

// film shows every state of one object, also those between two looks of until.
type film struct {
	t      *testing.T
	name   string
	stream watch.Interface
}

func (s *site) film(resource schema.GroupVersionResource, name string) *film {
	s.t.Helper()
	stream, err := s.in(resource).Watch(s.t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=" + name})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(stream.Stop)
	return &film{s.t, resource.Resource + " " + name + " on " + s.name, stream}
}

// until returns the states from where it last stopped to the one that is wanted.
func (f *film) until(what string, wanted func(seen) bool) []seen {
	f.t.Helper()
	var states []seen
	limit := time.After(patience)
	for {
		select {
		case e, open := <-f.stream.ResultChan():
			u, ok := e.Object.(*unstructured.Unstructured)
			if !open || !ok {
				f.t.Fatalf("%s: the watch ended: %v", f.name, e)
			}
			states = append(states, seen{u})
			if wanted(seen{u}) {
				return states
			}
		case <-limit:
			var last []byte
			if len(states) > 0 {
				last, _ = yaml.Marshal(states[len(states)-1].Object["status"])
			}
			f.t.Fatalf("%s: not %s after %s:\n%s", f.name, what, patience, last)
		}
	}
}

// conditions are those of the states, each once in a row.
func conditions(states []seen) []string {
	var names []string
	for _, s := range states {
		name, _ := s.condition()
		names = append(names, name)
	}
	return slices.Compact(names)
}
