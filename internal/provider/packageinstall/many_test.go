package packageinstall_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// newMany has ten packages on a tenth as many run clusters as there are to be package installs.
func newMany(t testing.TB, many int) *scale {
	t.Helper()
	s := newScale(t, "hundred", 0)
	s.env = append(s.env, fmt.Sprintf("TF_VAR_clusters=%d", many/10))
	return s
}

// attributes are what Terraform keeps of each resource in a state file, in bytes.
func (s *scale) attributes(want int) (each int) {
	s.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, "terraform.tfstate"))
	if err != nil {
		s.Fatal(err)
	}
	var state struct {
		Resources []struct {
			Instances []json.RawMessage `json:"instances"`
		} `json:"resources"`
	}
	if err := json.Unmarshal(data, &state); err != nil {
		s.Fatal(err)
	}
	total, count := 0, 0
	for _, r := range state.Resources {
		for _, i := range r.Instances {
			var compact bytes.Buffer
			if err := json.Compact(&compact, i); err != nil {
				s.Fatal(err)
			}
			total, count = total+compact.Len(), count+1
		}
	}
	if count != want {
		s.Fatalf("%d resources in the state, want %d", count, want)
	}
	return total / count
}

// plan tells how long a plan takes that finds nothing to do.
func (s *scale) plan() (wall time.Duration, requests int) {
	s.Helper()
	began := time.Now()
	requests, _, _ = s.terraform("plan", "-detailed-exitcode", "-no-color")
	return time.Since(began), requests
}

// plain is a directory with as many terraform_data, each with as many bytes in the state as one of ours.
func (s *scale) plain(each int) *scale {
	s.Helper()
	p := &scale{TB: s.TB, server: s.server, dir: s.TempDir(), env: slices.Clone(s.env), times: s.times}
	main, err := os.ReadFile(filepath.Join("testdata", "many_plain", "main.tf"))
	if err != nil {
		s.Fatal(err)
	}
	p.write(filepath.Join(p.dir, "main.tf"), string(main))
	const rest = 420 // bytes of an instance besides its two texts, about
	p.env = append(p.env, fmt.Sprintf("TF_VAR_size=%d", max(1, (each-rest)/2)))
	p.terraform("apply", "-auto-approve", "-no-color")
	return p
}

// TestAccPackageInstall_many: looking up the versions of 500 package installs costs a plan no more requests than a few do.
func TestAccPackageInstall_many(t *testing.T) {
	s := newMany(t, 500)
	s.seedPackages(10)
	few := func(what string, args ...string) {
		t.Helper()
		requests, _, cpu := s.terraform(append(args, "-no-color", "-parallelism=10")...)
		t.Logf("%s: %d requests, %s of processor time in the provider", what, requests, cpu)
		if requests > 10 {
			t.Errorf("%s took %d requests, want at most 10", what, requests)
		}
	}
	few("the first plan", "plan")
	s.terraform("apply", "-auto-approve", "-no-color", "-parallelism=10")
	few("the second plan", "plan", "-detailed-exitcode")
}

// BenchmarkPackageInstall_many plans 1,000 package installs that did not change, and as many terraform_data of the same size in turns with
// them. What is reported is the median of five.
func BenchmarkPackageInstall_many(b *testing.B) {
	const many = 1000
	metrics := map[string][]float64{}
	note := func(metric string, value float64) { metrics[metric] = append(metrics[metric], value) }
	for b.Loop() {
		s := newMany(b, many)
		s.seedPackages(10)
		began := time.Now()
		requests, pushes, cpu := s.terraform("apply", "-auto-approve", "-no-color", "-parallelism=10")
		note("apply-wall-ms", float64(time.Since(began).Milliseconds()))
		note("apply-reqs", float64(requests))
		note("apply-pushes", float64(pushes))
		note("apply-provider-cpu-ms", float64(cpu.Milliseconds()))
		each := s.attributes(many)
		note("state-B/resource", float64(each))
		p := s.plain(each)
		note("plain-state-B/resource", float64(p.attributes(many)))
		for range 5 {
			ours, requests := s.plan()
			theirs, _ := p.plan()
			note("plan-wall-ms", float64(ours.Milliseconds()))
			note("plan-reqs", float64(requests))
			note("plain-plan-wall-ms", float64(theirs.Milliseconds()))
			note("plan-wall-ratio", ours.Seconds()/theirs.Seconds())
		}
	}
	for metric, values := range metrics {
		slices.Sort(values)
		b.ReportMetric(values[len(values)/2], metric)
	}
}
