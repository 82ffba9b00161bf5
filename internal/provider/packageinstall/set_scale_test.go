package packageinstall_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Package installs of a large fleet: so many run clusters with so many packages each.
const setClusters, setPackages = 5, 200

// newSets has a set for each run cluster.
func newSets(t testing.TB, clusters int) *scale {
	t.Helper()
	s := newScale(t, "sets", 0)
	s.env = append(s.env, fmt.Sprintf("TF_VAR_clusters=%d", clusters), fmt.Sprintf("TF_VAR_packages=%d", setPackages))
	return s
}

// beside are the bytes that the state has of each package beside what the configuration
// says of it: what the provider computes, and its private state.
func (s *scale) beside() (each int) {
	s.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, "terraform.tfstate"))
	if err != nil {
		s.Fatal(err)
	}
	var state struct {
		Resources []struct {
			Instances []struct {
				Attributes map[string]json.RawMessage `json:"attributes"`
				Private    string                     `json:"private"`
			} `json:"instances"`
		} `json:"resources"`
	}
	if err := json.Unmarshal(data, &state); err != nil {
		s.Fatal(err)
	}
	total, count := 0, 0
	for _, r := range state.Resources {
		for _, i := range r.Instances {
			if _, err := base64.StdEncoding.DecodeString(i.Private); err != nil {
				s.Fatal(err)
			}
			total += len(i.Private)
			var paths map[string]string
			for name, value := range i.Attributes {
				if name == "packages" {
					continue
				}
				compact, err := json.Marshal(value)
				if err != nil {
					s.Fatal(err)
				}
				if total += len(compact); name == "paths" {
					if err := json.Unmarshal(value, &paths); err != nil {
						s.Fatal(err)
					}
					count += len(paths)
				}
			}
		}
	}
	if count == 0 {
		s.Fatal("the state has no packages")
	}
	return total / count
}

// TestAccPackageInstalls_thousand: 1,000 package installs as five resources cost what a few do.
func TestAccPackageInstalls_thousand(t *testing.T) {
	s := newSets(t, setClusters)
	theirs := s.seedPackages(setPackages)
	few := func(what string, most, mostPushes int, args ...string) {
		t.Helper()
		requests, pushes, cpu := s.terraform(append(args, "-no-color")...)
		t.Logf("%s: %d requests, %d pushes, %s of processor time in the provider", what, requests, pushes, cpu)
		if requests > most || pushes > mostPushes {
			t.Errorf("%s took %d requests and %d pushes, want at most %d and %d", what, requests, pushes, most, mostPushes)
		}
	}
	few("apply", 20, 2, "apply", "-auto-approve")
	if got, want := len(s.files()), len(theirs)+3*setClusters*setPackages; got != want {
		t.Errorf("the branch holds %d files, want %d", got, want)
	}
	if commits, err := s.server.Git(scaleRepository, nil, "rev-list", "--count", "refs/heads/main"); err != nil || len(strings.TrimSpace(commits)) > 1 || commits > "3" {
		t.Errorf("%s commits, want theirs and at most two: %v", commits, err)
	}
	few("a plan without changes", 8, 0, "plan", "-detailed-exitcode")
	each := s.beside()
	t.Logf("state: %d bytes for each package beside its configuration", each)
	if each > 400 {
		t.Errorf("the state has %d bytes for each package beside its configuration, want at most 400", each)
	}
	// One value of one package.
	s.env = append(s.env, "TF_VAR_odd=package-7.example.com")
	out, err := s.run(`"$TERRAFORM" plan -no-color`)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var changes []string
	for line := range strings.SplitSeq(out, "\n") {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "~ ") && strings.Contains(line, " = ") && strings.Contains(line, "->") {
			changes = append(changes, line)
		}
	}
	if len(changes) != 2 || !slices.ContainsFunc(changes, func(l string) bool { return strings.HasPrefix(l, "~ replicas") }) || !slices.ContainsFunc(changes, func(l string) bool { return strings.HasPrefix(l, "~ commit") }) {
		t.Errorf("the plan shows %v, want the value and the commit:\n%s", changes, out)
	}
	few("one value", 24, 1, "apply", "-auto-approve")
	changed, err := s.server.Git(scaleRepository, nil, "diff-tree", "-r", "--name-only", "--no-commit-id", "refs/heads/main")
	if got := strings.Fields(changed); err != nil || len(got) != 2 || got[1] != "package-7.example.com/cluster-0/params.yaml" {
		t.Errorf("the commit has changed %v, want the values and their mark: %v", got, err)
	}
	few("destroy", 20, 2, "destroy", "-auto-approve")
	for path := range s.files() {
		if _, was := theirs[path]; !was && !strings.HasSuffix(path, "/.gitkeep") {
			t.Fatalf("%s is left", path)
		}
	}
}

// TestAccPackageInstalls_others: what else is in the repository makes no request more.
func TestAccPackageInstalls_others(t *testing.T) {
	counts := func(others int) (counts [][2]int) {
		s := newSets(t, 2)
		s.seedPackages(setPackages)
		s.seedOthers(others)
		for _, args := range [][]string{{"apply", "-auto-approve"}, {"plan", "-detailed-exitcode"}} {
			requests, pushes, _ := s.terraform(append(args, "-no-color")...)
			counts = append(counts, [2]int{requests, pushes})
		}
		return counts
	}
	few, many := counts(0), counts(20_000)
	t.Logf("requests and pushes of an apply and a plan: %v, and %v beside 20,000 files", few, many)
	for i := range few {
		if many[i][0] > few[i][0]+2 || many[i][1] > few[i][1]+1 { // how they share requests is never quite the same
			t.Errorf("%v beside 20,000 files, %v without", many[i], few[i])
		}
	}
}

// seedOthers commits files of others, of as many packages on 50 run clusters as it takes.
func (s *scale) seedOthers(n int) {
	s.Helper()
	files := map[string]string{}
	for i := range n {
		files[fmt.Sprintf("other-%d.example.com/theirs-%d/file.yaml", i/50, i%50)] = fmt.Sprintf("n: %d\n", i)
	}
	if _, err := s.server.Seed(scaleRepository, "others", files); err != nil {
		s.Fatal(err)
	}
}

// TestAccPackageInstalls_together: two configurations apply and destroy their sets at the same time, and somebody else pushes all the
// while. Nothing is lost, and no commit holds a part of a set.
func TestAccPackageInstalls_together(t *testing.T) {
	s := newSets(t, 1)
	theirs := s.seedPackages(setPackages)
	second := &scale{TB: t, server: s.server, dir: t.TempDir(), env: slices.Clone(s.env), times: s.times}
	main, err := os.ReadFile(filepath.Join(s.dir, "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	second.write(filepath.Join(second.dir, "main.tf"), strings.ReplaceAll(string(main), `"cluster-`, `"second-`))
	pushed := 0
	for _, args := range [][]string{{"apply", "-auto-approve", "-no-color"}, {"destroy", "-auto-approve", "-no-color"}} {
		var runs sync.WaitGroup
		done := make(chan struct{})
		for _, one := range []*scale{s, second} {
			runs.Go(func() {
				if out, err := one.run(`exec "$TERRAFORM" "$@"`, args...); err != nil {
					t.Errorf("%v: %v\n%s", args, err, out)
				}
			})
		}
		go func() { runs.Wait(); close(done) }()
		for ended := false; !ended; {
			select {
			case <-done:
				ended = true
			case <-time.After(200 * time.Millisecond):
				if _, err := s.server.Seed(scaleRepository, "somebody's", map[string]string{fmt.Sprintf("somebody/%d.txt", pushed): "theirs\n"}); err != nil {
					t.Error(err)
				}
				pushed++
			}
		}
	}
	commits, err := s.server.Git(scaleRepository, nil, "rev-list", "refs/heads/main")
	if err != nil {
		t.Fatal(err)
	}
	most := map[string]int{}
	for commit := range strings.FieldsSeq(commits) {
		names, err := s.server.Git(scaleRepository, nil, "ls-tree", "-r", "--name-only", commit)
		if err != nil {
			t.Fatal(err)
		}
		for _, cluster := range []string{"cluster-0", "second-0"} {
			has := strings.Count(names, "/"+cluster+"/packageinstall.yaml")
			if has != 0 && has != setPackages {
				t.Errorf("commit %s has %d of %d packages on %s", commit, has, setPackages, cluster)
			}
			most[cluster] = max(most[cluster], has)
		}
	}
	if most["cluster-0"] != setPackages || most["second-0"] != setPackages {
		t.Errorf("a set was never there: %v", most)
	}
	files := s.files()
	for i := range pushed {
		if files[fmt.Sprintf("somebody/%d.txt", i)] == "" {
			t.Errorf("push %d of %d of somebody else is lost", i, pushed)
		}
	}
	for path := range files {
		if _, was := theirs[path]; !was && !strings.HasSuffix(path, "/.gitkeep") && !strings.HasPrefix(path, "somebody/") {
			t.Errorf("%s is left", path)
		}
	}
	if _, err := s.server.Git(scaleRepository, nil, "fsck", "--strict", "--no-dangling"); err != nil {
		t.Error(err)
	}
}

// TestAccPackageInstalls_replaced: what runs is never deleted by a replacement in any order, nor by a resource that goes by another name.
func TestAccPackageInstalls_replaced(t *testing.T) {
	s := newSets(t, 1)
	s.env = append(s.env, "TF_VAR_packages=3")
	s.seedPackages(3)
	file := filepath.Join(s.dir, "main.tf")
	main, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const address = `carvel_package_installs.test["cluster-0"]`
	installed := func(what string) {
		t.Helper()
		names, err := s.server.Git(scaleRepository, nil, "ls-tree", "-r", "--name-only", "refs/heads/main")
		if err != nil || strings.Count(names, "/cluster-0/packageinstall.yaml") != 3 {
			t.Errorf("%s: %v\n%s", what, err, names)
		}
		s.terraform("plan", "-detailed-exitcode", "-no-color")
	}
	s.terraform("apply", "-auto-approve", "-no-color")
	s.terraform("apply", "-auto-approve", "-no-color", "-replace="+address)
	installed("a replacement")
	s.terraform("taint", address)
	s.terraform("apply", "-auto-approve", "-no-color")
	installed("a tainted one")
	s.write(file, strings.Replace(string(main), "  run_cluster          = each.key\n", "  run_cluster          = each.key\n  lifecycle { create_before_destroy = true }\n", 1))
	s.terraform("apply", "-auto-approve", "-no-color", "-replace="+address)
	installed("created before it is destroyed")
	s.write(file, strings.Replace(string(main), `"carvel_package_installs" "test"`, `"carvel_package_installs" "other"`, 1))
	if out, err := s.run(`"$TERRAFORM" apply -auto-approve -no-color`); err == nil || !strings.Contains(out, "moved") {
		t.Errorf("another name for the same: %v\n%s", err, out)
	}
	s.write(file, strings.Replace(string(main), `"carvel_package_installs" "test"`, `"carvel_package_installs" "other"`, 1)+
		"\nmoved {\n  from = carvel_package_installs.test\n  to   = carvel_package_installs.other\n}\n")
	s.terraform("apply", "-auto-approve", "-no-color")
	installed("a moved one")
}

// TestAccPackageInstalls_handover: what single package installs have committed goes over to a set, and back, without a commit.
func TestAccPackageInstalls_handover(t *testing.T) {
	s := newSets(t, 1)
	s.env = append(s.env, "TF_VAR_packages=3")
	s.seedPackages(3)
	file := filepath.Join(s.dir, "main.tf")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	provider, set, _ := strings.Cut(string(data), "resource ")
	set = "resource " + set
	const single = `
resource "carvel_package_install" "one" {
  for_each = toset(local.packages)

  package              = each.key
  run_cluster          = "cluster-0"
  service_account_name = "delivery-sa"
  version_constraint   = "1.0.0"
  values               = { replicas = 2, name = "${each.key}-cluster-0" }
}
`
	forget := func(address string) string {
		return "\nremoved {\n  from = " + address + "\n  lifecycle {\n    destroy = false\n  }\n}\n"
	}
	s.write(file, provider+single)
	s.terraform("apply", "-auto-approve", "-no-color")
	tip := func() string {
		id, err := s.server.Git(scaleRepository, nil, "rev-parse", "refs/heads/main")
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	before := tip()
	s.write(file, provider+set+forget("carvel_package_install.one")+"\nimport {\n  to = carvel_package_installs.test[\"cluster-0\"]\n  id = \"cluster-0\"\n}\n")
	out, err := s.run(`"$TERRAFORM" plan -no-color`)
	if err != nil || !strings.Contains(out, "1 to import") || strings.Contains(out, "known after apply") {
		t.Errorf("%v\n%s", err, out)
	}
	s.terraform("apply", "-auto-approve", "-no-color")
	s.terraform("plan", "-detailed-exitcode", "-no-color")
	s.write(file, provider+single+forget("carvel_package_installs.test")+
		"\nimport {\n  for_each = toset(local.packages)\n  to       = carvel_package_install.one[each.key]\n  id       = \"${each.key}/cluster-0\"\n}\n")
	s.terraform("apply", "-auto-approve", "-no-color")
	s.terraform("plan", "-detailed-exitcode", "-no-color")
	if now := tip(); now != before {
		t.Errorf("there was a commit: %s, before it %s", now, before)
	}
}

// plainSets is a directory with as many terraform_data, each with inputs of the same size.
func (s *scale) plainSets() *scale {
	s.Helper()
	p := &scale{TB: s.TB, server: s.server, dir: s.TempDir(), env: slices.Clone(s.env), times: s.times}
	main, err := os.ReadFile(filepath.Join("testdata", "sets_plain", "main.tf"))
	if err != nil {
		s.Fatal(err)
	}
	p.write(filepath.Join(p.dir, "main.tf"), string(main))
	return p
}

// byHand commits as many files as sets of package installs have, and pushes them once.
func (s *scale) byHand(clusters int) {
	s.Helper()
	url := s.gitByHand()
	if out, err := s.run(`git clone -q --depth 1 "$1" byhand; cd byhand
for p in $(seq "$2"); do for c in $(seq "$3"); do
  mkdir -p "by-hand-$p/cluster-$c"
  echo "name: $p" > "by-hand-$p/cluster-$c/packageinstall.yaml"; echo "replicas: $c" > "by-hand-$p/cluster-$c/params.yaml"
done; done
git add --all; git commit -q -m "Install all"; git push -q`, url, fmt.Sprint(setPackages), fmt.Sprint(clusters)); err != nil {
		s.Fatalf("git: %v\n%s", err, out)
	}
}

// BenchmarkPackageInstalls applies and plans sets of package installs in turns with as many terraform_data of the same size and a
// commit of as many files by hand. What is reported is the median. LONG=1 adds a
// repository with 200,000 other files, and fifty run clusters, which are 10,000 package installs.
func BenchmarkPackageInstalls(b *testing.B) {
	type fleet struct{ clusters, others int }
	fleets := []fleet{{setClusters, 0}}
	if os.Getenv("LONG") != "" {
		fleets = append(fleets, fleet{setClusters, 200_000}, fleet{50, 0})
	}
	for _, f := range fleets {
		clusters := f.clusters
		b.Run(fmt.Sprintf("installs=%d/others=%d", clusters*setPackages, f.others), func(b *testing.B) {
			metrics := map[string][]float64{}
			note := func(metric string, value float64) { metrics[metric] = append(metrics[metric], value) }
			for b.Loop() {
				s := newSets(b, clusters)
				s.seedPackages(setPackages)
				if f.others > 0 {
					s.seedOthers(f.others)
				}
				p := s.plainSets()
				began := time.Now()
				requests, pushes, cpu := s.terraform("apply", "-auto-approve", "-no-color")
				ours := time.Since(began)
				note("apply-wall-ms", ours.Seconds()*1000)
				note("apply-reqs", float64(requests))
				note("apply-pushes", float64(pushes))
				note("apply-provider-cpu-ms", cpu.Seconds()*1000)
				began = time.Now()
				p.terraform("apply", "-auto-approve", "-no-color")
				s.byHand(clusters)
				note("plain-apply-wall-ms", time.Since(began).Seconds()*1000)
				note("apply-wall-ratio", ours.Seconds()/time.Since(began).Seconds())
				note("state-B/package-beside", float64(s.beside()))
				for range 3 {
					ours, requests := s.plan()
					theirs, _ := p.plan()
					note("plan-wall-ms", ours.Seconds()*1000)
					note("plan-reqs", float64(requests))
					note("plain-plan-wall-ms", theirs.Seconds()*1000)
					note("plan-wall-ratio", ours.Seconds()/theirs.Seconds())
				}
			}
			for metric, values := range metrics {
				slices.Sort(values)
				b.ReportMetric(values[len(values)/2], metric)
			}
		})
	}
}
