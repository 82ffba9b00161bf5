package matrix

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// result is what one version has come to. Tests are counted, not their subtests.
type result struct {
	title                   string
	passed, failed, skipped int
	broken                  []string       // packages that failed with none of their tests, or before all had ended
	reasons                 map[string]int // of what was skipped
	took                    time.Duration
	err                     error // of go test

	said       map[string]string // by a package, or a test of it, that has not ended
	failedTest map[string]bool   // by package
}

func newResult(title string) *result {
	return &result{title: title, reasons: map[string]int{}, said: map[string]string{}, failedTest: map[string]bool{}}
}

// event is a line of go test -json.
type event struct {
	Action, Package, ImportPath, Test, Output string
}

// read counts what go test reports, and copies what it says of failures.
func (r *result) read(out io.Writer, events io.Reader) error {
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil {
				fmt.Fprintf(out, "%s", line) // not of a test: what go itself says
			} else {
				r.note(out, e)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r *result) note(out io.Writer, e event) {
	// What subtests say belongs to their test.
	test, _, isSub := strings.Cut(e.Test, "/")
	key := e.Package + e.ImportPath + " " + test
	switch {
	case e.Action == "output" || e.Action == "build-output":
		r.said[key] += e.Output
	case isSub:
	case test == "":
		r.endOfPackage(out, e, key)
	default:
		r.endOfTest(out, e, key)
	}
}

func (r *result) endOfTest(out io.Writer, e event, key string) {
	switch e.Action {
	case "pass":
		r.passed++
	case "fail":
		r.failed++
		r.failedTest[e.Package] = true
		fmt.Fprint(out, r.said[key])
	case "skip":
		r.skipped++
		r.reasons[reason(r.said[key])]++
	default:
		return
	}
	delete(r.said, key)
}

// endOfPackage shows the last line of a package that has passed, and all that is
// left to show of another: tests of it have not ended after a panic, or when its
// time was up.
func (r *result) endOfPackage(out io.Writer, e event, key string) {
	switch e.Action {
	case "pass":
		lines := strings.Split(strings.TrimSpace(r.said[key]), "\n")
		if last := lines[len(lines)-1]; !strings.Contains(last, "[no tests to run]") {
			fmt.Fprintln(out, last)
		}
	case "fail", "build-fail":
		cutShort := false
		for _, other := range slices.Sorted(maps.Keys(r.said)) {
			if strings.HasPrefix(other, e.Package+e.ImportPath+" ") {
				fmt.Fprint(out, r.said[other])
				cutShort = cutShort || other != key
			}
		}
		if cutShort || !r.failedTest[e.Package] {
			r.broken = append(r.broken, e.Package+e.ImportPath)
		}
	case "skip": // no test files
	default:
		return
	}
	maps.DeleteFunc(r.said, func(other, _ string) bool { return strings.HasPrefix(other, e.Package+e.ImportPath+" ") })
}

var place = regexp.MustCompile(`^\s*[\w.-]+\.go:\d+: `)

// reason is what a test has said last before it was skipped.
func reason(said string) string {
	last := "no reason given"
	for line := range strings.Lines(said) {
		if place.MatchString(line) {
			last = strings.TrimSpace(place.ReplaceAllString(line, ""))
		}
	}
	return last
}

// ok reports whether tests ran and all of them passed or were skipped.
func (r *result) ok() bool {
	return r.err == nil && r.passed > 0 && r.failed == 0 && len(r.broken) == 0
}

// summarize writes a line for each version, and below it why tests were skipped.
func summarize(out io.Writer, results []*result) error {
	var err error
	fmt.Fprintln(out)
	for _, r := range results {
		fmt.Fprintf(out, "%-20s %4d passed %4d failed %4d skipped   %s\n", r.title, r.passed, r.failed, r.skipped, r.took.Round(time.Second))
		for _, reason := range slices.Sorted(maps.Keys(r.reasons)) {
			fmt.Fprintf(out, "  %d skipped: %s\n", r.reasons[reason], reason)
		}
		for _, name := range r.broken {
			fmt.Fprintf(out, "  failed: %s\n", name)
		}
		if r.passed == 0 {
			fmt.Fprintln(out, "  no test has passed")
		}
		if !r.ok() {
			err = ErrFailed
		}
	}
	return err
}
