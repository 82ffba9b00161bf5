package standin

import (
	"math"
	"math/rand/v2"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The conditions of Apps and PackageInstalls. One at a time, always with status True.
const (
	reconciling        = "Reconciling"
	reconcileSucceeded = "ReconcileSucceeded"
	reconcileFailed    = "ReconcileFailed"
	deleting           = "Deleting"
	deleteFailed       = "DeleteFailed"
)

type condition struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
}

// genericStatus is what an App and a PackageInstall have in common.
type genericStatus struct {
	ObservedGeneration  int64       `json:"observedGeneration"`
	Conditions          []condition `json:"conditions"`
	FriendlyDescription string      `json:"friendlyDescription"`
	UsefulErrorMessage  string      `json:"usefulErrorMessage,omitempty"`
}

type appStatus struct {
	genericStatus
	ConsecutiveReconcileSuccesses int           `json:"consecutiveReconcileSuccesses,omitempty"`
	ConsecutiveReconcileFailures  int           `json:"consecutiveReconcileFailures,omitempty"`
	Fetch                         *stageStatus  `json:"fetch,omitempty"`
	Template                      *stageStatus  `json:"template,omitempty"`
	Deploy                        *deployStatus `json:"deploy,omitempty"`
}

type stageStatus struct {
	Stdout    string       `json:"stdout,omitempty"`
	Stderr    string       `json:"stderr,omitempty"`
	ExitCode  int          `json:"exitCode"`
	Error     string       `json:"error,omitempty"`
	StartedAt *metav1.Time `json:"startedAt,omitempty"`
	UpdatedAt *metav1.Time `json:"updatedAt,omitempty"`
}

type deployStatus struct {
	stageStatus
	Finished bool        `json:"finished"`
	Kapp     *kappStatus `json:"kapp,omitempty"`
}

type kappStatus struct {
	AssociatedResources associatedResources `json:"associatedResources"`
}

type associatedResources struct {
	Label      string      `json:"label,omitempty"`
	Namespaces []string    `json:"namespaces,omitempty"`
	GroupKinds []groupKind `json:"groupKinds,omitempty"`
}

type groupKind struct {
	Group string `json:"group"`
	Kind  string `json:"kind"`
}

// result is how a stage ended, as of a command that has run.
type result struct {
	stdout, stderr string
	exitCode       int
	err            string // "" on success
}

// failed is the result of a command that exited with 1 after writing stderr.
func failed(what, stderr string) result {
	return result{stderr: stderr, exitCode: 1, err: what + ": " + seeUseful}
}

// broken is the result of a stage that could not run its command.
func broken(err string) result { return result{exitCode: -1, err: err} }

func (r result) stage(startedAt *metav1.Time) *stageStatus {
	return &stageStatus{Stdout: r.stdout, Stderr: r.stderr, ExitCode: r.exitCode, Error: r.err, StartedAt: startedAt, UpdatedAt: now()}
}

func now() *metav1.Time {
	t := metav1.NewTime(time.Now().UTC())
	return &t
}

// set replaces the condition and the friendly description that goes with it.
func (s *genericStatus) set(conditionType, message string) {
	s.Conditions = []condition{{Type: conditionType, Status: "True", Message: message}}
	switch conditionType {
	case reconcileSucceeded:
		s.FriendlyDescription = "Reconcile succeeded"
	case reconcileFailed:
		s.FriendlyDescription = "Reconcile failed: " + message
	case deleteFailed:
		s.FriendlyDescription = "Delete failed: " + message
	default:
		s.FriendlyDescription = conditionType
	}
}

func (s *genericStatus) is(conditionType string) bool {
	return len(s.Conditions) > 0 && s.Conditions[0].Type == conditionType
}

// completed records the end of a reconcile. A failure keeps what the stage wrote to
// stderr, else its error, as the useful message.
func (s *appStatus) completed(r result) {
	if r.err == "" {
		s.set(reconcileSucceeded, "")
		s.ConsecutiveReconcileSuccesses++
		s.ConsecutiveReconcileFailures = 0
		s.UsefulErrorMessage = ""
		return
	}
	s.failed(reconcileFailed, r)
}

// failed records a failed reconcile or delete.
func (s *appStatus) failed(conditionType string, r result) {
	s.set(conditionType, r.err)
	s.ConsecutiveReconcileFailures++
	s.ConsecutiveReconcileSuccesses = 0
	s.UsefulErrorMessage = r.stderr
	if r.stderr == "" {
		s.UsefulErrorMessage = r.err
	}
}

// shorten cuts a PackageInstall's friendly description: one line, at most 80 characters.
func shorten(s string) string {
	line, _, more := strings.Cut(s, "\n")
	if runes := []rune(line); len(runes) > 80 {
		return string(runes[:80]) + "..."
	}
	if more {
		return line + "..."
	}
	return line
}

// timing is when an App runs again: floor is the shortest period between two
// runs, fallback the period of an App that names none.
type timing struct{ floor, fallback time.Duration }

func newTiming(syncPeriod time.Duration) timing {
	const usual = 30 * time.Second
	if syncPeriod <= 0 {
		syncPeriod = usual
	}
	return timing{floor: min(syncPeriod, usual), fallback: syncPeriod}
}

func (t timing) period(spec time.Duration) time.Duration {
	if spec == 0 {
		spec = t.fallback
	}
	return max(spec, t.floor)
}

// wait is how long after its last run an App runs again, without jitter:
// 2^n seconds after n failures in a row, at most its sync period.
func (t timing) wait(spec time.Duration, s *appStatus) time.Duration {
	period := t.period(spec)
	if n := s.ConsecutiveReconcileFailures; s.is(reconcileFailed) && n > 0 && n < 30 {
		return min(period, time.Duration(math.Exp2(float64(n)))*time.Second)
	}
	return period
}

// jitter is added to a sync period: up to 5 seconds, and less for short periods.
func (t timing) jitter(period time.Duration) time.Duration {
	return rand.N(min(5*time.Second, period/6) + 1) //nolint:gosec // no secret
}

// lastRun is when the latest of the three stages ended; false before the first fetch.
func (s *appStatus) lastRun() (time.Time, bool) {
	if s.Fetch == nil || s.Fetch.UpdatedAt == nil {
		return time.Time{}, false
	}
	last := s.Fetch.UpdatedAt.Time
	if s.Template != nil && s.Template.UpdatedAt != nil && s.Template.UpdatedAt.After(last) {
		last = s.Template.UpdatedAt.Time
	}
	if s.Deploy != nil && s.Deploy.UpdatedAt != nil && s.Deploy.UpdatedAt.After(last) {
		last = s.Deploy.UpdatedAt.Time
	}
	return last, true
}

// due says how long it is until the App runs again; at most 0 is now.
func (t timing) due(generation int64, spec time.Duration, s *appStatus, at time.Time) time.Duration {
	last, ran := s.lastRun()
	if generation != s.ObservedGeneration || !ran {
		return 0
	}
	return last.Add(t.wait(spec, s)).Sub(at)
}
