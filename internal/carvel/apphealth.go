package carvel

import (
	"fmt"
	"slices"
	"strings"
)

// State is a judgement on an object that a controller works on.
type State int

// Pending is neither of the others: the controller is not done.
const (
	Pending State = iota
	Current
	Failed
)

// Health is a State with the reason for it.
type Health struct {
	State  State
	Reason string
}

// AppHealth judges an App from its status alone. after is the generation that
// the caller waits for: an older one says nothing about the caller's change.
func AppHealth(s AppStatus, after int64) Health {
	switch {
	case s.Generation < after:
		return Health{Pending, fmt.Sprintf("generation %d is not there yet", after)}
	case s.ObservedGeneration != s.Generation:
		return Health{Pending, "the controller has not seen this generation"}
	case s.FriendlyDescription == "Canceled/paused":
		return Health{Pending, "the App is paused or canceled"}
	}
	switch s.Condition() {
	case ReconcileSucceeded:
		return Health{Current, s.FriendlyDescription}
	case ReconcileFailed:
		return Health{Failed, s.Message()}
	case "":
		return Health{Pending, "the controller has not reported a condition"}
	default:
		// The useful error message of an earlier run stays while the App reconciles.
		return Health{Pending, s.underWay()}
	}
}

// underWay describes a run that is not at its end: with what kapp does, where
// it has begun.
func (s AppStatus) underWay() string {
	if s.Condition() != Reconciling || s.Deploy == nil || s.Deploy.Finished || s.Deploy.Stdout == "" {
		return s.FriendlyDescription
	}
	return s.FriendlyDescription + ", in the deploy stage: " + telling(s.Deploy.Stdout)
}

// telling is what kapp has said last that tells something: no line that counts
// changes, such as "---- waiting on 1 changes [1/2 done] ----", and a reason, which is
// on a line of its own that begins with "^", together with what it is about.
func telling(output string) string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	reason := ""
	for _, line := range slices.Backward(lines) {
		text := strings.TrimSpace(line)
		if _, said, timed := strings.Cut(text, "M: "); timed { // 5:08:13PM:
			text = strings.TrimSpace(said)
		}
		switch {
		case text == "" || strings.HasPrefix(text, "----"):
		case strings.HasPrefix(text, "^"):
			if reason == "" {
				reason = strings.TrimSpace(strings.TrimPrefix(text, "^"))
			}
		case reason != "":
			return strings.TrimPrefix(text, "L ") + ": " + reason
		default:
			return strings.TrimPrefix(text, "L ")
		}
	}
	if reason == "" && len(lines) > 0 {
		return strings.TrimSpace(lines[len(lines)-1])
	}
	return reason
}
