package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestApplyNew: what is there is never written to.
func TestApplyNew(t *testing.T) {
	conflict := status(409, "Conflict", "")
	owned := status(409, "Conflict", `,"details":{"causes":[{"reason":"FieldManagerConflict","message":"kubectl","field":".data"}]}`)
	missing := status(404, "NotFound", "")
	live := func(manager string, age time.Duration) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"c","namespace":"n","creationTimestamp":%q,
				"managedFields":[{"manager":%q,"operation":"Apply"}]}}`, time.Now().Add(-age).UTC().Format(time.RFC3339), manager)
		}
	}
	for name, test := range map[string]struct {
		answers  []func(http.ResponseWriter)
		requests int64
		exists   bool
	}{
		"nothing is there":    {[]func(http.ResponseWriter){found}, 1, false},
		"another is there":    {[]func(http.ResponseWriter){conflict, live("me", 0)}, 2, true},
		"another's fields":    {[]func(http.ResponseWriter){owned, live("kubectl", 0)}, 2, true},
		"it has gone":         {[]func(http.ResponseWriter){conflict, missing, found}, 3, false},
		"the answer was lost": {[]func(http.ResponseWriter){cut, conflict, live("me", 0)}, 3, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, requests := serve(t, test.answers...)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			obj := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap"}}
			made, err := c.ApplyNew(ctx, configMap, obj, Manager{Name: "me"})
			var exists *ExistsError
			if errors.As(err, &exists) != test.exists || (made == nil) != test.exists {
				t.Errorf("got %v, %v", made, err)
			}
			if requests.Load() != test.requests {
				t.Errorf("%d requests, want %d", requests.Load(), test.requests)
			}
			if obj.GetResourceVersion() != "" {
				t.Error("the caller's object was changed")
			}
		})
	}
}

// TestApplyNew_refused: other errors are those of Apply.
func TestApplyNew_refused(t *testing.T) {
	c, requests := serve(t, func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403}`)
	})
	obj := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap"}}
	if _, err := c.ApplyNew(t.Context(), configMap, obj, Manager{Name: "me"}); err == nil || requests.Load() != 1 {
		t.Errorf("%v after %d requests", err, requests.Load())
	}
}
