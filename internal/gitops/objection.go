package gitops

import (
	"errors"
	"slices"
	"strings"
	"unicode"
)

// part is what a batch is of the changes that callers have queued.
type part int

const (
	wholeBatch   part = iota // of a moment; it takes in those that come before its commit is made
	singleChange             // one of those that were turned down together
	someChanges              // of them
)

// How many pushes must have met the same objection, and how many of them with one change alone, until it is taken for one to the branch.
const (
	objectionPushes = 3
	objectionSingle = 2
)

// objection is what the server has turned pushes down with since it last took one.
type objection struct {
	words          string
	pushes, single int
}

// object notes that a draft was turned down, and reports whether the server objects to the branch and not to a change: different changes
// have met the same words, each by itself. That is remembered.
func (e *Engine) object(d *draft, err error) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if words := objectionWords(err); words != e.objection.words {
		e.objection = objection{words: words}
	}
	e.objection.pushes++
	if len(d.changed) == 1 {
		e.objection.single++
	}
	if e.objection.pushes < objectionPushes || e.objection.single < objectionSingle {
		return false
	}
	e.barred = err
	return true
}

// objectionWords are what a refusal says whatever it is about: without paths, ids and numbers, each line once.
func objectionWords(err error) string {
	var hook *HookDeclinedError
	var rejected *RejectedError
	text := err.Error()
	switch {
	case errors.As(err, &hook):
		text = hook.Reason + "\n" + hook.Text
	case errors.As(err, &rejected):
		text = rejected.Reason + "\n" + rejected.Text
	}
	var lines []string
	for line := range strings.Lines(text) {
		words := slices.DeleteFunc(strings.Fields(line), func(word string) bool {
			return strings.ContainsFunc(word, unicode.IsDigit) || strings.ContainsAny(strings.TrimRight(word, "./"), "./\\")
		})
		if line := strings.Join(words, " "); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// declined turns the changes down. Of several, it finds those that the server objects to. If that is the branch, no other is tried.
func (b *batch) declined(d *draft, err error) error {
	if b.part != someChanges && b.e.object(d, err) {
		return err
	}
	if len(d.changed) == 1 {
		b.settle(d.changed, func(*writeCall) (Commit, error) { return Commit{}, b.e.locate(err) })
		return nil // the others learn their outcome in the next attempt
	}
	b.settleApart(d.changed)
	return nil
}

// settleApart pushes changes apart that were turned down together. The first and the last go by themselves: if both are turned down with
// the same words, so is every other. If the server takes one of them it is not the branch, and each half of the others is pushed by
// itself.
func (b *batch) settleApart(calls []*writeCall) {
	e := b.e
	b.calls = slices.DeleteFunc(b.calls, func(c *writeCall) bool { return slices.Contains(calls, c) })
	e.mu.Lock()
	for _, call := range calls {
		call.sent = false
	}
	e.mu.Unlock()
	calls = slices.Clone(calls)
	if b.part == wholeBatch {
		last := len(calls) - 1
		e.commitBatch(calls[:1], singleChange)
		e.mu.Lock()
		objected := e.objection.pushes > 0
		e.mu.Unlock()
		if objected {
			e.commitBatch(calls[last:], singleChange)
			e.commitBatch(calls[1:last], someChanges) // at once, if the first is what was objected to
			return
		}
		calls = calls[1:]
	}
	half := len(calls) / 2
	e.commitBatch(calls[:half], someChanges)
	e.commitBatch(calls[half:], someChanges)
}
