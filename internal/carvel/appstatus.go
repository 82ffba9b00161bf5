package carvel

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// The condition types of an App and a PackageInstall. At most one is present.
const (
	Reconciling        = "Reconciling"
	ReconcileSucceeded = "ReconcileSucceeded"
	ReconcileFailed    = "ReconcileFailed"
	Deleting           = "Deleting"
	DeleteFailed       = "DeleteFailed"
)

// AppStatus is what an App's controller reports.
type AppStatus struct {
	Generation          int64       `json:"-"` // of the object, not of the status
	ObservedGeneration  int64       `json:"observedGeneration"`
	Conditions          []Condition `json:"conditions"`
	FriendlyDescription string      `json:"friendlyDescription"`
	UsefulErrorMessage  string      `json:"usefulErrorMessage"`
	ConsecutiveFailures int64       `json:"consecutiveReconcileFailures"`
	Successes           int64       `json:"consecutiveReconcileSuccesses"`
	Fetch               *StepStatus `json:"fetch"`
	Template            *StepStatus `json:"template"`
	Deploy              *StepStatus `json:"deploy"`
}

// Condition is one of the types above; its status is always "True", and it has
// no time.
type Condition struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

// StepStatus is the outcome of fetch, template or deploy.
type StepStatus struct {
	ExitCode  int64  `json:"exitCode"`
	Error     string `json:"error"`
	Stdout    string `json:"stdout"`
	Stderr    string `json:"stderr"`
	Finished  bool   `json:"finished"`
	StartedAt string `json:"startedAt"` // RFC 3339, to the second
	UpdatedAt string `json:"updatedAt"` // likewise
}

// Attempt tells one run of the controller from another.
type Attempt struct {
	Failures, Successes                             int64
	FetchStarted, Fetched, Templated, DeployUpdated string
}

// Attempt is the run that the status is of.
func (s AppStatus) Attempt() Attempt {
	a := Attempt{Failures: s.ConsecutiveFailures, Successes: s.Successes}
	if s.Fetch != nil {
		a.FetchStarted, a.Fetched = s.Fetch.StartedAt, s.Fetch.UpdatedAt
	}
	if s.Template != nil {
		a.Templated = s.Template.UpdatedAt
	}
	if s.Deploy != nil {
		a.DeployUpdated = s.Deploy.UpdatedAt
	}
	return a
}

// Ended reports whether the status is of a run that is at its end.
func (s AppStatus) Ended() bool {
	return s.ObservedGeneration == s.Generation && (s.Condition() == ReconcileSucceeded || s.Condition() == ReconcileFailed)
}

// Began is when the run began, to the second, and took how long it took; ok is
// false if the status does not tell.
func (s AppStatus) Began() (began time.Time, took time.Duration, ok bool) {
	if s.Fetch == nil {
		return time.Time{}, 0, false
	}
	began, err := time.Parse(time.RFC3339, s.Fetch.StartedAt)
	if err != nil {
		return time.Time{}, 0, false
	}
	return began, max(0, s.LastUpdate().Sub(began)), true
}

// LastUpdate is the latest time that the stages tell, the zero time if they tell
// none.
func (s AppStatus) LastUpdate() time.Time {
	var last time.Time
	for _, step := range []*StepStatus{s.Fetch, s.Template, s.Deploy} {
		if step == nil {
			continue
		}
		if t, err := time.Parse(time.RFC3339, step.UpdatedAt); err == nil && t.After(last) {
			last = t
		}
	}
	return last
}

// ReadAppStatus reads an App's status. A missing status, as in the first
// moment after creation, is the zero status.
func ReadAppStatus(obj *unstructured.Unstructured) (AppStatus, error) {
	var s AppStatus
	status, _, err := unstructured.NestedMap(obj.Object, "status")
	if err != nil {
		return s, err
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(status, &s); err != nil {
		return s, err
	}
	s.Generation = obj.GetGeneration()
	return s, nil
}

// Condition is the type of the present condition, "" if there is none yet.
func (s AppStatus) Condition() string {
	if len(s.Conditions) == 0 {
		return ""
	}
	return s.Conditions[0].Type
}

// Message is the most useful text that the controller gives: its useful error
// message, else the condition's message, else the friendly description.
func (s AppStatus) Message() string {
	switch {
	case s.Condition() == ReconcileSucceeded:
		return s.FriendlyDescription
	case s.UsefulErrorMessage != "":
		return withoutStack(s.UsefulErrorMessage)
	case len(s.Conditions) > 0 && s.Conditions[0].Message != "":
		return s.Conditions[0].Message
	default:
		return s.FriendlyDescription
	}
}

// withoutStack cuts off where a program that panicked tells its goroutines.
func withoutStack(message string) string {
	before, _, found := strings.Cut(message, "\ngoroutine ")
	if found && strings.Contains(before, "panic: ") {
		return strings.TrimSpace(before)
	}
	return message
}

// The stages of a reconcile.
const (
	StageFetch    = "fetch"
	StageTemplate = "template"
	StageDeploy   = "deploy"
)

// FailedStage is the stage that a failed reconcile stopped in.
func (s AppStatus) FailedStage() string {
	failed := func(step *StepStatus) bool {
		return step != nil && (step.ExitCode != 0 || step.Error != "")
	}
	switch {
	case failed(s.Fetch):
		return StageFetch
	case failed(s.Template):
		return StageTemplate
	default:
		return StageDeploy
	}
}

// How much of kapp's output is worth showing.
const maxOutputLines, maxOutputBytes = 40, 4 << 10

// Output is the end of what kapp has put out, "" for another stage.
func (s AppStatus) Output(stage string) string {
	if stage != StageDeploy || s.Deploy == nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(s.Deploy.Stdout), "\n")
	lines = lines[max(0, len(lines)-maxOutputLines):]
	text := strings.Join(lines, "\n")
	for len(text) > maxOutputBytes && len(lines) > 1 {
		lines = lines[1:]
		text = strings.Join(lines, "\n")
	}
	return strings.ToValidUTF8(text[max(0, len(text)-maxOutputBytes):], "")
}

// FetchedCommits are the commits that the last fetch got, one for each Git
// entry in order, from the vendir lock file that the controller reports.
func (s AppStatus) FetchedCommits() []string {
	var commits []string
	for _, d := range s.fetched() {
		commits = append(commits, d.commit)
	}
	return slices.Clip(commits)
}

// FetchedCommit is the commit of one of the App's sources, "" if there is
// none. i is its place in the list.
func (s AppStatus) FetchedCommit(i int, f Fetch) string {
	at := f.Path
	if at == "" {
		at = strconv.Itoa(i)
	}
	for _, d := range s.fetched() {
		if d.path == at {
			return d.commit
		}
	}
	return ""
}

type fetchedDirectory struct {
	path, commit string
}

func (s AppStatus) fetched() []fetchedDirectory {
	if s.Fetch == nil || s.Fetch.ExitCode != 0 {
		return nil
	}
	var lock struct {
		Directories []struct {
			Path     string `json:"path"`
			Contents []struct {
				Git *struct {
					SHA string `json:"sha"`
				} `json:"git"`
			} `json:"contents"`
		} `json:"directories"`
	}
	if err := unmarshalYAML([]byte(s.Fetch.Stdout), &lock); err != nil {
		return nil // some other output of the fetch
	}
	var all []fetchedDirectory
	for _, d := range lock.Directories {
		for _, c := range d.Contents {
			if c.Git != nil {
				all = append(all, fetchedDirectory{d.Path, c.Git.SHA})
			}
		}
	}
	return all
}
