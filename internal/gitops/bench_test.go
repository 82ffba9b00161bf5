package gitops

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitserver"
)

var long = flag.Bool("long", false, "run the benchmarks with 200,000 files as well")

// pairs is how often the engine and git take turns; what is reported is the median.
const pairs = 7

// size is a repository of packages x clusters x 2 files.
type size struct {
	name               string
	packages, clusters int
}

var sizes = []size{{"1k", 50, 10}, {"20k", 200, 50}, {"200k", 400, 250}}

// generate writes a repository with 200 commits for git fast-import.
func (s size) generate(w io.Writer) {
	const head = "commit refs/heads/main\ncommitter A <a@example.com> now\ndata 1\nx\n"
	file := func(p, c, version int, name string) {
		content := fmt.Sprintf("apiVersion: packaging.carvel.dev/v1alpha1\nkind: PackageInstall\nmetadata:\n  name: package-%d\n  namespace: cluster-%d\n"+
			"spec:\n  packageRef:\n    refName: package-%d.example.com\n    versionSelection:\n      constraints: 1.%d.%d\n  note: %x\n",
			p, c, p, c, version, BlobHash(fmt.Append(nil, p, c, version, name)))
		fmt.Fprintf(w, "M 100644 inline package-%d/cluster-%d/%s\ndata %d\n%s\n", p, c, name, len(content), content)
	}
	both := func(p, c, version int) {
		file(p, c, version, "packageinstall.yaml")
		file(p, c, version, "params.yaml")
	}
	fmt.Fprint(w, head)
	for p := range s.packages {
		for c := range s.clusters {
			both(p, c, 0)
		}
	}
	for version := range 199 {
		fmt.Fprint(w, head)
		both(13*version%s.packages, 7*version%s.clusters, version+1)
	}
}

// bench is a server with a repository of one size, and the program that works on it.
type bench struct {
	*testing.B
	size
	url, program string
	server       *gitserver.Server
	delay        time.Duration // of every request

	mu        sync.Mutex
	exchanges []gitserver.Exchange
	runs      int
}

// usage is what a command took.
type usage struct {
	Wall, CPU time.Duration
	RSS       int64
}

func buildProgram(b *testing.B) string {
	b.Helper()
	program := filepath.Join(b.TempDir(), "gitbench")
	if out, err := exec.Command("go", "build", "-o", program, "./internal/gitbench").CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

func forSizes(b *testing.B, run func(*bench)) {
	program := buildProgram(b)
	for _, s := range sizes {
		if s.name == "200k" && !*long {
			continue
		}
		b.Run(s.name, func(b *testing.B) {
			x := &bench{B: b, size: s, program: program}
			x.serve()
			b.ResetTimer()
			for b.Loop() {
				run(x)
			}
		})
	}
}

func (b *bench) serve() {
	var err error
	b.server, err = gitserver.Start(gitserver.Options{Dir: b.TempDir(), Insecure: true, Observe: func(e gitserver.Exchange) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.exchanges = append(b.exchanges, e)
	}, Intercept: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(b.delay)
			next.ServeHTTP(w, r)
		})
	}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = b.server.Close() })
	if err := b.server.CreateRepository(repository, gitserver.AllowFilter, gitserver.AllowAnySHA1InWant); err != nil {
		b.Fatal(err)
	}
	r, w := io.Pipe()
	go func() {
		b.generate(w)
		_ = w.Close()
	}()
	if _, err := b.server.Git(repository, r, "fast-import", "--quiet", "--date-format=now"); err != nil {
		b.Fatal(err)
	}
	b.url = b.server.URL(repository)
}

// command runs the program and decodes what it prints.
func (b *bench) command(args ...string) (u usage) {
	b.Helper()
	b.mu.Lock()
	b.exchanges = nil
	b.mu.Unlock()
	b.runs++
	cmd := exec.Command(b.program, args...)
	home := b.TempDir()
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "DIR=" + filepath.Join(home, "clone"), "URL=" + b.url, fmt.Sprintf("RUN=%d", b.runs),
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=gc.auto", "GIT_CONFIG_VALUE_0=0",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com",
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	if len(out) > 0 {
		if err := json.Unmarshal(out, &u); err != nil {
			b.Fatal(err)
		}
	}
	return u
}

// write runs the program's write with more flags.
func (b *bench) write(flags ...string) []string {
	return append([]string{
		"write", "-url", b.url, "-run", fmt.Sprint(b.runs),
		"-packages", fmt.Sprint(b.packages), "-clusters", fmt.Sprint(b.clusters),
	}, flags...)
}

// report gives the counts of the last command.
func (b *bench) report() {
	b.mu.Lock()
	defer b.mu.Unlock()
	var pushes, down, up int64
	for _, e := range b.exchanges {
		down, up = down+e.BytesOut, up+e.BytesIn
		if e.Push() {
			pushes++
		}
	}
	b.ReportMetric(float64(len(b.exchanges)), "reqs")
	b.ReportMetric(float64(pushes), "pushes")
	b.ReportMetric(float64(down), "down-B")
	b.ReportMetric(float64(up), "up-B")
}

// compare lets git and the engine take turns.
func (b *bench) compare(engine []string, script string) {
	var engines, gits []usage
	var wall, cpu []float64
	for range pairs {
		g := b.command("measure", "sh", "-ec", script)
		e := b.command(append([]string{"measure", b.program}, engine...)...)
		engines, gits = append(engines, e), append(gits, g)
		wall = append(wall, e.Wall.Seconds()/g.Wall.Seconds())
		cpu = append(cpu, e.CPU.Seconds()/g.CPU.Seconds())
	}
	b.report()
	b.ReportMetric(median(wall), "wall-ratio")
	b.ReportMetric(median(cpu), "cpu-ratio")
	for name, list := range map[string][]usage{"engine": engines, "git": gits} {
		b.ReportMetric(medianOf(list, func(u usage) float64 { return u.Wall.Seconds() * 1000 }), name+"-wall-ms")
		b.ReportMetric(medianOf(list, func(u usage) float64 { return u.CPU.Seconds() * 1000 }), name+"-cpu-ms")
		b.ReportMetric(medianOf(list, func(u usage) float64 { return float64(u.RSS) / (1 << 20) }), name+"-rss-MB")
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

func medianOf(list []usage, value func(usage) float64) float64 {
	var values []float64
	for _, u := range list {
		values = append(values, value(u))
	}
	return median(values)
}

// coldWrite is git without a checkout.
const coldWrite = `
git clone -q --depth 1 --filter=blob:none --no-checkout "$URL" "$DIR"; cd "$DIR"; git read-tree HEAD
echo "one $RUN" > one; echo "two $RUN" > two
git hash-object -w one two | {
  read -r one; read -r two
  printf '100644 %s\tpackage-3/cluster-1/packageinstall.yaml\n100644 %s\tpackage-3/cluster-1/params.yaml\n' "$one" "$two"
} | git update-index --index-info
git push -q origin "$(git commit-tree -p HEAD -m x "$(git write-tree --missing-ok)"):refs/heads/main"`

// BenchmarkColdWrite changes two files, from the start of a process to its end.
func BenchmarkColdWrite(b *testing.B) {
	forSizes(b, func(b *bench) { b.compare(b.write(), coldWrite) })
}

// BenchmarkColdWriteFar is ColdWrite with a server that is 50 ms away.
func BenchmarkColdWriteFar(b *testing.B) {
	forSizes(b, func(b *bench) {
		b.delay = 50 * time.Millisecond
		b.compare(b.write(), coldWrite)
	})
}

// BenchmarkColdWriteRefs is ColdWrite in a repository with 10,000 more branches.
func BenchmarkColdWriteRefs(b *testing.B) {
	forSizes(b, func(b *bench) {
		b.addRefs()
		b.compare(b.write(), coldWrite)
	})
}

// addRefs makes the branches, once.
func (b *bench) addRefs() {
	b.Helper()
	if b.runs > 0 {
		return
	}
	tip, err := b.server.Git(repository, nil, "rev-parse", "refs/heads/main")
	if err != nil {
		b.Fatal(err)
	}
	var refs strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&refs, "create refs/heads/topic/branch-%d %s\n", i, strings.TrimSpace(tip))
	}
	if _, err := b.server.Git(repository, strings.NewReader(refs.String()), "update-ref", "--stdin"); err != nil {
		b.Fatal(err)
	}
	if _, err := b.server.Git(repository, nil, "pack-refs", "--all"); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkColdRead reads one file, from the start of a process to its end.
func BenchmarkColdRead(b *testing.B) {
	const path = "package-3/cluster-1/params.yaml"
	forSizes(b, func(b *bench) {
		b.compare([]string{"read", "-url", b.url, path}, `
git clone -q --depth 1 --filter=blob:none --no-checkout "$URL" "$DIR"; git -C "$DIR" cat-file blob HEAD:`+path)
	})
}

// BenchmarkSequentialWrites makes 100 changes one after the other in one process that has read the files.
func BenchmarkSequentialWrites(b *testing.B) {
	forSizes(b, func(b *bench) {
		u := b.command(b.write("-n", "100", "-prefetch")...)
		b.report()
		b.ReportMetric(u.Wall.Seconds()*1000/100, "wall-ms/write")
		b.ReportMetric(u.CPU.Seconds()*1000/100, "cpu-ms/write")
	})
}

// BenchmarkConcurrentWrites makes 100 changes from 10 goroutines, and for comparison, one after the other, 10 changes of the same files
// and 10 small ones.
func BenchmarkConcurrentWrites(b *testing.B) {
	forSizes(b, func(b *bench) {
		var ratios, small, walls []float64
		for range pairs {
			ten := b.command(b.write("-n", "10", "-dirs", "10", "-prefetch")...)
			few := b.command(b.write("-n", "10", "-prefetch")...)
			hundred := b.command(b.write("-n", "100", "-goroutines", "10", "-prefetch")...)
			ratios = append(ratios, hundred.Wall.Seconds()/ten.Wall.Seconds())
			small = append(small, hundred.Wall.Seconds()/few.Wall.Seconds())
			walls = append(walls, hundred.Wall.Seconds()*1000)
		}
		b.report()
		b.ReportMetric(median(ratios), "x-10-pushes")
		b.ReportMetric(median(small), "x-10-small-pushes")
		b.ReportMetric(median(walls), "wall-ms")
	})
}

// BenchmarkForeignPush writes to a directory that somebody else has just pushed to.
func BenchmarkForeignPush(b *testing.B) {
	forSizes(b, func(b *bench) {
		t, err := Config{URL: b.url, HTTP: HTTPAuth{AllowInsecure: true}}.normalize()
		if err != nil {
			b.Fatal(err)
		}
		e := newEngine(t)
		change := func(i int) {
			if _, err := e.Apply(b.Context(), Change{Summary: "x", Edits: []Edit{write("package-1/cluster-1/params.yaml", fmt.Sprint(b.runs, i))}}); err != nil {
				b.Fatal(err)
			}
		}
		change(0)
		if _, err := b.server.Seed(repository, "theirs", map[string]string{"package-1/cluster-1/packageinstall.yaml": fmt.Sprint(b.runs)}); err != nil {
			b.Fatal(err)
		}
		b.mu.Lock()
		b.exchanges = nil
		b.mu.Unlock()
		b.runs++
		change(1)
		b.report()
	})
}
