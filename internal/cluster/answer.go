package cluster

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
)

// judge makes of client-go's error the one that it is by the answer, with a text
// that can be shown.
func (x *exchange) judge(cluster string, ref Ref, err error) error {
	var status *apierrors.StatusError
	switch {
	case err == nil, isOurs(err):
		return err
	case x.isStatus(0) || x.ended() != nil: // the transport's
		return x.shown(err)
	case !errors.As(err, &status) && x.status < http.StatusMultipleChoices:
		return x.notAPI(cluster, nil) // it could not be decoded; the error quotes it
	case !errors.As(err, &status):
		return x.shown(err)
	}
	clean := &apierrors.StatusError{ErrStatus: x.cleanStatus(status.ErrStatus)}
	if fields, ok := undeclared(&clean.ErrStatus); ok {
		return &UnknownFieldError{Cluster: cluster, Ref: ref, Fields: fields, Err: clean}
	}
	if hasCause(&clean.ErrStatus, metav1.CauseTypeUnexpectedServerResponse) && !x.isPlain() {
		if comesAgain(int(clean.ErrStatus.Code)) {
			return x.notAPI(cluster, clean)
		}
		return x.notAPI(cluster, nil)
	}
	return clean
}

// isPlain tells the few answers that an API server gives without a Status: that a
// path is not served, and what it says before it looks at a request. A 401 says
// the same whoever sends it.
func (x *exchange) isPlain() bool {
	kind := media(x.contentType)
	switch x.status {
	case http.StatusUnauthorized:
		return kind != "text/html"
	case http.StatusNotFound:
		return kind == "text/plain"
	default:
		return comesAgain(x.status) && (kind == "text/plain" || kind == "")
	}
}

// comesAgain tells the statuses of an answer that may be another one at the next
// try.
func comesAgain(status int) bool {
	return status == http.StatusTooManyRequests || status >= http.StatusInternalServerError
}

// notAPI is about the answer that was met. A successful one in JSON may hold a
// secret, and is not shown.
func (x *exchange) notAPI(cluster string, err error) *NotAnAPIServerError {
	x.mu.Lock()
	status, kind, head := x.status, x.contentType, string(x.head)
	x.mu.Unlock()
	if isJSON(kind) && status < http.StatusMultipleChoices {
		head = ""
	}
	return &NotAnAPIServerError{
		Cluster: cluster, Status: status, ContentType: printable.Line(kind, printable.Name),
		Start: firstWords(x.text(head)), Err: err,
	}
}

// firstWords are those of an answer. A long one may hold a credential that is given
// back: it is left out, since whoever takes secrets out of texts would not find half
// of one.
func firstWords(text string) string {
	var words []string
	size := 0
	for word := range strings.FieldsSeq(printable.Text(text, len(text))) {
		if size += len(word) + 1; len(word) > longestWord || size > shownBytes {
			words = append(words, "...")
			break
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// textError is an error whose text has been made fit to be shown.
type textError struct {
	text string
	err  error
}

func (e *textError) Error() string { return e.text }
func (e *textError) Unwrap() error { return e.err }

func (x *exchange) shown(err error) error {
	if text := x.text(err.Error()); text != err.Error() {
		return &textError{text: text, err: err}
	}
	return err
}

func (x *exchange) cleanStatus(s metav1.Status) metav1.Status {
	line := func(text string) string { return printable.Line(x.text(text), printable.Name) }
	s.Message, s.Reason = x.text(s.Message), metav1.StatusReason(line(string(s.Reason)))
	if s.Details == nil {
		return s
	}
	details := *s.Details
	details.Name, details.Group, details.Kind = line(details.Name), line(details.Group), line(details.Kind)
	details.Causes = make([]metav1.StatusCause, 0, min(len(s.Details.Causes), mostCauses))
	for _, cause := range s.Details.Causes[:cap(details.Causes)] {
		details.Causes = append(details.Causes, metav1.StatusCause{
			Type: metav1.CauseType(line(string(cause.Type))), Message: x.text(cause.Message), Field: line(cause.Field),
		})
	}
	s.Details = &details
	return s
}

// undeclaredField is in the Status with which server-side apply refuses a field
// that the resource's schema has not. It has no reason of its own and the code
// 500, as in
// https://github.com/kubernetes-sigs/structured-merge-diff/blob/v6.4.2/typed/helpers.go
var undeclaredField = regexp.MustCompile(`(?:^|\s)(\.\S+): field not declared in schema`)

func undeclared(s *metav1.Status) (fields []string, ok bool) {
	if s.Code != http.StatusInternalServerError || !strings.Contains(s.Message, "field not declared in schema") {
		return nil, false
	}
	for _, found := range undeclaredField.FindAllStringSubmatch(s.Message, -1) {
		fields = append(fields, found[1])
	}
	return fields, true
}

func hasCause(s *metav1.Status, kind metav1.CauseType) bool {
	if s.Details == nil {
		return false
	}
	for _, cause := range s.Details.Causes {
		if cause.Type == kind {
			return true
		}
	}
	return false
}

// checked passes an answer on that is about the object that was asked for.
func (c *Cluster) checked(ref Ref, sent *unstructured.Unstructured) func(*unstructured.Unstructured, error) (*unstructured.Unstructured, error) {
	return func(got *unstructured.Unstructured, err error) (*unstructured.Unstructured, error) {
		if err == nil {
			err = c.checkObject(ref, sent, got)
		}
		return got, err
	}
}

// checkObject is about an answer that is not about the object that was asked
// for. sent is what was applied, nil for a read.
func (c *Cluster) checkObject(ref Ref, sent, got *unstructured.Unstructured) error {
	wrong := func(format string, args ...any) error {
		return &WrongAnswerError{Cluster: c.name, Ref: ref, Got: printable.Line(fmt.Sprintf(format, args...), printable.Name)}
	}
	switch {
	case got == nil || got.Object == nil:
		return wrong("no object")
	case !ref.names(got):
		return wrong("the %s %q of namespace %q", got.GetKind(), got.GetName(), got.GetNamespace())
	case sent == nil:
		return nil
	case sent.GetKind() != "" && got.GetKind() != sent.GetKind():
		return wrong("one of kind %s", got.GetKind())
	case sent.GetUID() != "" && got.GetUID() != sent.GetUID():
		return wrong("one with the UID %s", got.GetUID())
	}
	return nil
}

func (c *Cluster) checkList(ref Ref, list *unstructured.UnstructuredList) error {
	if !strings.HasSuffix(list.GetKind(), "List") {
		return &WrongAnswerError{Cluster: c.name, Ref: ref, Got: printable.Line("one of kind "+list.GetKind(), printable.Name)}
	}
	return nil
}
