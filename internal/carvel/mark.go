package carvel

import (
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// MarkAnnotation holds the Mark of an object.
const MarkAnnotation = "carvel-gitops.github.io/creation"

// MomentaryAnnotation names fields of an App's spec, separated by commas, that
// were set to true for a moment and are to be taken back.
const MomentaryAnnotation = "carvel-gitops.github.io/momentary"

// Mark says of an object, or of the files of a package install, which creation
// it belongs to. Names and labels do not tell that: two configurations may use
// the same ones, and a resource that Terraform replaces or renames meets what
// the one before it has made. The zero Mark is that of what bears none.
type Mark struct {
	// Creation is a random id, another one for each creation and adoption.
	Creation string `json:"id"`
	// Owner names the configuration whose state records it.
	Owner string `json:"owner"`
	// Resource is the resource's type and import id, such as "carvel_app dev/app".
	Resource string `json:"resource"`
	// Adopted: it was there before.
	Adopted bool `json:"adopted,omitempty"`
}

// On is a copy of an object with the mark.
func (m Mark) On(obj *unstructured.Unstructured) *unstructured.Unstructured {
	marked := obj.DeepCopy()
	annotations := cloneOrMake(marked.GetAnnotations())
	annotations[MarkAnnotation] = m.String()
	marked.SetAnnotations(annotations)
	return marked
}

// MarkOf reads the mark of an object, which may be nil.
func MarkOf(obj *unstructured.Unstructured) Mark {
	if obj == nil {
		return Mark{}
	}
	return ParseMark(obj.GetAnnotations()[MarkAnnotation])
}

// ParseMark reads what String wrote. A text that is none is the Creation of a
// mark, so that it is nobody's.
func ParseMark(text string) Mark {
	var m Mark
	text = strings.TrimSpace(text)
	if err := json.Unmarshal([]byte(text), &m); err != nil || m.Creation == "" {
		return Mark{Creation: text}
	}
	return m
}

// String is the mark as an object or a file bears it, in one line.
func (m Mark) String() string {
	text, err := json.Marshal(m)
	if err != nil {
		panic(err) // strings and a bool
	}
	return string(text)
}

// Describe names the resource that a mark speaks of.
func (m Mark) Describe() string {
	if m.Resource == "" {
		return "a resource that it does not name"
	}
	return fmt.Sprintf("%s of the configuration %q", m.Resource, m.Owner)
}
