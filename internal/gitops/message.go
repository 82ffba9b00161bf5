package gitops

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
)

// providerTrailer names the client in the message of each commit that it makes.
const providerTrailer = "Provider"

// maxSummary in bytes: a longer summary is cut.
const maxSummary = 500

// message lists every change of a commit: one as the subject, several below it. It ends
// with the trailers.
func (t *target) message(summaries []string) string {
	var m strings.Builder
	if len(summaries) == 1 {
		m.WriteString(summaries[0])
	} else {
		fmt.Fprintf(&m, "Apply %d changes\n", len(summaries))
		for _, summary := range summaries {
			m.WriteString("\n- " + summary)
		}
	}
	text, trailers := splitAppendix(t.MessageAppendix)
	if text != "" {
		m.WriteString("\n\n" + text)
	}
	m.WriteString("\n\n" + providerTrailer + ": " + printable.Line(t.UserAgent, maxSummary) + "\n")
	for _, trailer := range t.Trailers {
		if value := printable.Line(trailer.Value, maxSummary); value != "" {
			m.WriteString(trailer.Name + ": " + value + "\n")
		}
	}
	m.WriteString(trailers)
	return m.String()
}

// trailerLine is a line that git takes for a trailer.
var trailerLine = regexp.MustCompile(`^[A-Za-z0-9-]+: .*[^ ]`)

// splitAppendix parts the text of an appendix from the trailers that it ends with, since
// git looks for trailers in the last paragraph of a message alone.
func splitAppendix(appendix string) (text, trailers string) {
	appendix = strings.TrimSpace(strings.ReplaceAll(appendix, "\r\n", "\n"))
	if appendix == "" {
		return "", ""
	}
	lines := strings.Split(appendix, "\n")
	last := 1 + lastBlank(lines)
	for _, line := range lines[last:] {
		if !trailerLine.MatchString(line) {
			return appendix, ""
		}
	}
	return strings.TrimSpace(strings.Join(lines[:last], "\n")), strings.Join(lines[last:], "\n") + "\n"
}

// lastBlank is the index of the last line with nothing in it, or -1.
func lastBlank(lines []string) int {
	for i, line := range slices.Backward(lines) {
		if strings.TrimSpace(line) == "" {
			return i
		}
	}
	return -1
}

// summary of a change; one without is not worth failing for.
func summary(change Change) string {
	if line := printable.Line(change.Summary, maxSummary); line != "" {
		return line
	}
	return fmt.Sprintf("Change %d files", len(change.Edits))
}

// commit encodes a commit object, signed if a key is configured.
func (t *target) commit(tree Hash, parents []Hash, message string, now time.Time) (odb.Object, error) {
	var text strings.Builder
	fmt.Fprintf(&text, "tree %s\n", tree)
	for _, parent := range parents {
		fmt.Fprintf(&text, "parent %s\n", parent)
	}
	person := fmt.Sprintf("%s <%s> %d +0000", t.AuthorName, t.AuthorEmail, now.Unix())
	fmt.Fprintf(&text, "author %s\ncommitter %s\n\n%s", person, person, message)
	commit := odb.Object{Kind: plumbing.CommitObject, Data: []byte(text.String())}
	if t.sign == nil {
		return commit, nil
	}
	signature, err := t.sign(commit.Data)
	if err != nil {
		return odb.Object{}, err
	}
	commit.Data = withSignature(commit.Data, signature)
	return commit, nil
}
