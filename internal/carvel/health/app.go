// Package health judges what the controllers report, so that a wait ends when a cluster
// runs what it is to run: not a moment before, and not long after.
//
// A status tells of an attempt, and an attempt of what it has read when it began. So an
// App is current only if it has fetched what the branch holds now, and a
// PackageInstall only if a run of its App began after everything that the run reads
// was written. The controllers' times are whole seconds, so that the same second is not
// after, unless something finer tells. A failure counts once a further attempt has failed
// with the same: the first may be of before its cause was put right.
//
// All of it is judgement on observations that a caller has made, one after the other. No
// clock is read here and no server is asked.
package health

import (
	"fmt"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
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

// App judges an App from its status alone. after is the generation that
// the caller waits for: an older one says nothing about the caller's change.
func App(s carvel.AppStatus, after int64) Health {
	switch {
	case s.Generation < after:
		return Health{Pending, fmt.Sprintf("generation %d is not there yet", after)}
	case s.ObservedGeneration != s.Generation:
		return Health{Pending, "the controller has not seen this generation"}
	case s.FriendlyDescription == "Canceled/paused":
		return Health{Pending, "the App is paused or canceled"}
	}
	switch s.Condition() {
	case carvel.ReconcileSucceeded:
		return Health{Current, s.FriendlyDescription}
	case carvel.ReconcileFailed:
		return Health{Failed, s.Message()}
	case "":
		return Health{Pending, "the controller has not reported a condition"}
	default:
		// The useful error message of an earlier run stays while the App reconciles.
		return Health{Pending, progress(s)}
	}
}

// progress describes a run that is not at its end: with what kapp does, if it has
// begun.
func progress(s carvel.AppStatus) string {
	if s.Condition() != carvel.Reconciling || s.Deploy == nil || s.Deploy.Finished || s.Deploy.Stdout == "" {
		return s.FriendlyDescription
	}
	return s.FriendlyDescription + ", in the deploy stage: " + telling(s.Deploy.Stdout)
}
