package standin_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// contextOf lives on while the test cleans up.
func contextOf(t *testing.T) context.Context { return context.WithoutCancel(t.Context()) }

// seen is an object as a test looks at it.
type seen struct{ *unstructured.Unstructured }

func (s seen) str(path ...string) string {
	value, _, _ := unstructured.NestedFieldNoCopy(s.Object, path...)
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}

func (s seen) condition() (name, message string) {
	conditions, _, _ := unstructured.NestedSlice(s.Object, "status", "conditions")
	if len(conditions) == 0 {
		return "", ""
	}
	fields := conditions[0].(map[string]any)
	message, _ = fields["message"].(string)
	return fmt.Sprint(fields["type"]), message
}

func (s seen) useful() string { return s.str("status", "usefulErrorMessage") }

func (s seen) is(condition string) bool {
	name, _ := s.condition()
	return name == condition && s.str("status", "observedGeneration") == fmt.Sprint(s.GetGeneration())
}

func (s seen) succeeded() bool { return s.is("ReconcileSucceeded") }
func (s seen) failed() bool    { return s.is("ReconcileFailed") }
func (s seen) paused() bool    { return s.str("status", "friendlyDescription") == "Canceled/paused" }

// fetched are the commits in the LockConfig, one for each fetch entry.
func (s seen) fetched() []string {
	var lock struct {
		Directories []struct {
			Contents []struct {
				Git struct {
					SHA string `json:"sha"`
				} `json:"git"`
			} `json:"contents"`
		} `json:"directories"`
	}
	_ = yaml.Unmarshal([]byte(s.str("status", "fetch", "stdout")), &lock)
	var shas []string
	for _, d := range lock.Directories {
		for _, c := range d.Contents {
			shas = append(shas, c.Git.SHA)
		}
	}
	return shas
}

// runs reports whether every fetched commit is the given one or comes after it: other
// tests push to the same branch.
func (f *flow) runs(o seen, commit string) bool {
	shas := o.fetched()
	for _, sha := range shas {
		if sha == commit {
			continue
		}
		f.git(f.clone, "fetch", "--quiet", "origin", "main")
		if f.tryGit(f.clone, "merge-base", "--is-ancestor", commit, sha) != nil {
			return false
		}
	}
	return len(shas) > 0
}

// get reads an object that must be there.
func (s *site) get(resource schema.GroupVersionResource, name string) seen {
	s.t.Helper()
	u, err := s.in(resource).Get(s.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	return seen{u}
}

// until reads an object until it is as wanted. A missing one is as a zero seen.
func (s *site) until(resource schema.GroupVersionResource, name, what string, wanted func(seen) bool) seen {
	s.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		u, err := s.in(resource).Get(s.t.Context(), name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			u, err = &unstructured.Unstructured{Object: map[string]any{}}, nil
		}
		if err != nil {
			s.t.Fatal(err)
		}
		if wanted(seen{u}) {
			return seen{u}
		}
		if time.Now().After(deadline) {
			status, _ := yaml.Marshal(u.Object["status"])
			s.t.Fatalf("%s %s on %s: not %s after %s:\n%s", resource.Resource, name, s.name, what, patience, status)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (s *site) untilGone(resource schema.GroupVersionResource, name string) {
	s.t.Helper()
	s.until(resource, name, "gone", func(o seen) bool { return o.GetName() == "" })
}

func (s *site) patch(resource schema.GroupVersionResource, name, merge string) {
	s.t.Helper()
	_, err := s.in(resource).Patch(s.t.Context(), name, "application/merge-patch+json", []byte(merge), metav1.PatchOptions{FieldManager: "test"})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) delete(resource schema.GroupVersionResource, name string) {
	s.t.Helper()
	if err := s.in(resource).Delete(s.t.Context(), name, metav1.DeleteOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

// kick makes the controller reconcile at once: paused, then not.
func (s *site) kick(resource schema.GroupVersionResource, name string) {
	s.t.Helper()
	s.patch(resource, name, `{"spec":{"paused":true}}`)
	s.until(resource, name, "paused", seen.paused)
	s.patch(resource, name, `{"spec":{"paused":null}}`)
}

// wantText fails unless text has every part, however its lines are broken.
func wantText(t *testing.T, text string, parts ...string) {
	t.Helper()
	flat := strings.Join(strings.Fields(text), " ")
	for _, part := range parts {
		if !strings.Contains(flat, part) {
			t.Errorf("no %q in:\n%s", part, text)
		}
	}
}
