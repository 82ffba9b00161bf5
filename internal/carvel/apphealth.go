package carvel

import (
	"fmt"
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
	output := strings.TrimSpace(s.Deploy.Stdout)
	return s.FriendlyDescription + ", in the deploy stage: " + output[strings.LastIndexByte(output, '\n')+1:]
}
