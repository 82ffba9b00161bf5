package delivery

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// TestWhose: what a create goes on with, and what a delete leaves, for each mark
// that an object may bear.
func TestWhose(t *testing.T) {
	const resource = "carvel_app dev/app"
	mark := func(id, owner, resource string) carvel.Mark {
		return carvel.Mark{Creation: id, Owner: owner, Resource: resource}
	}
	adopted := mark("1", "me", resource)
	adopted.Adopted = true
	for name, c := range map[string]struct {
		theirs     carvel.Mark
		held, kept bool // by another resource of this run; by a delete of it
		hold       Hold
		resumes    bool
		leaves     string
	}{
		"none":                                {hold: Hold{Creation: "1"}},
		"the resource's own":                  {theirs: mark("1", "me", resource), hold: Hold{Creation: "1"}, resumes: true},
		"an interrupted creation's":           {theirs: mark("2", "me", resource), hold: Hold{Creation: "1"}, resumes: true, leaves: LeftTaken},
		"another one's, made in this run":     {theirs: mark("2", "me", resource), held: true, hold: Hold{Creation: "1"}, leaves: LeftTaken},
		"another resource's":                  {theirs: mark("2", "me", "carvel_app dev/other"), hold: Hold{Creation: "1"}, leaves: LeftTaken},
		"another configuration's":             {theirs: mark("2", "you", resource), hold: Hold{Creation: "1"}, leaves: LeftTaken},
		"left for its retry":                  {theirs: mark("2", "you", resource), kept: true, hold: Hold{Creation: "1"}, resumes: true, leaves: LeftTaken},
		"unreadable":                          {theirs: carvel.ParseMark("junk"), hold: Hold{Creation: "1"}, leaves: LeftTaken},
		"of a state that records none":        {theirs: mark("2", "me", resource), resumes: true},
		"of another, and none is recorded":    {theirs: mark("2", "you", resource), leaves: LeftTaken},
		"a failed creation, retried":          {theirs: mark("1", "me", resource), hold: Hold{Creation: "1", Incomplete: true, Retried: true}, resumes: true, leaves: LeftForRetry},
		"a failed creation, destroyed":        {theirs: mark("1", "me", resource), hold: Hold{Creation: "1", Incomplete: true}, resumes: true},
		"a failed adoption, destroyed":        {theirs: adopted, hold: Hold{Creation: "1", Incomplete: true}, resumes: true, leaves: LeftHalfAdopted},
		"a creation that succeeded, replaced": {theirs: mark("1", "me", resource), hold: Hold{Creation: "1", Retried: true}, resumes: true},
	} {
		t.Run(name, func(t *testing.T) {
			d := New(Config{Owner: "me"})
			if c.held {
				d.Apps.creations.hold(c.theirs.Creation)
			}
			if c.kept {
				d.Apps.creations.leave(c.theirs.Creation)
			}
			mine := mark("1", "me", resource)
			if c.hold.Creation == "" {
				mine.Creation = "new"
			}
			if got := d.Apps.resumes(c.theirs, mine); got != c.resumes {
				t.Errorf("%s: resumes: %t", name, got)
			}
			if got := d.Apps.leaves(resource, c.theirs, c.hold); got != c.leaves {
				t.Errorf("%s: left since %q, want %q", name, got, c.leaves)
			}
		})
	}
}

func TestIsReplaced(t *testing.T) {
	obj := func(uid, label, id string) *unstructured.Unstructured {
		o := &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"uid": uid, "labels": map[string]any{carvel.ManagedByLabel: label}}}}
		if id != "" {
			o = carvel.Mark{Creation: id}.On(o)
		}
		return o
	}
	for name, c := range map[string]struct {
		hold Hold
		live *unstructured.Unstructured
		want bool
	}{
		"the same":                      {Hold{Creation: "1"}, obj("u", "", ""), false},
		"another without a mark":        {Hold{Creation: "1"}, obj("v", carvel.ManagedBy, ""), true},
		"another with the mark":         {Hold{Creation: "1"}, obj("v", "", "1"), false}, // restored from a backup
		"another resource's":            {Hold{Creation: "1"}, obj("v", "", "2"), false}, // which is told otherwise
		"another, of an older version":  {Hold{}, obj("v", carvel.ManagedBy, ""), false},
		"another, and nobody's by name": {Hold{}, obj("v", "", ""), true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.hold.isReplaced(c.live, "u"); got != c.want {
				t.Errorf("%s: %t", name, got)
			}
		})
	}
	if (Hold{Creation: "1"}).isReplaced(obj("v", "", ""), "") {
		t.Error("a state without a UID cannot tell")
	}
}
