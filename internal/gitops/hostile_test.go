package gitops

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/forge"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/wire"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/suite"
)

func (c hostileCase) transports() []string {
	switch {
	case c.only != "":
		return []string{c.only}
	case c.heavy: // the same code reads it from either
		return []string{"http"}
	}
	return []string{"http", "ssh"}
}

// run lets an engine meet the server, and returns how that ended.
func (c hostileCase) run(t *testing.T, transport string) (time.Duration, error) {
	h := c.server()
	signal := c.want.name == canceled.name
	h.reached = make(chan struct{})
	config := h.overSSH
	if transport == "http" {
		config = h.overHTTP
	}
	target, err := config(t).normalize()
	if err != nil {
		t.Fatal(err)
	}
	e := newEngine(target)
	e.grace = time.Second
	limit := patience
	if c.heavy {
		limit *= 10 // hundreds of megabytes, on a busy machine
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if signal {
		go func() {
			select {
			case <-h.reached:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	path := c.path
	if path == "" {
		path = "f"
	}
	began := time.Now()
	if c.write {
		_, err = e.Apply(ctx, Change{Summary: "x", Edits: []Edit{write(path, "new")}})
	} else {
		var file File
		if file, err = e.Read(ctx, path); err == nil && string(file.Data) != "content" {
			t.Errorf("read %q", file.Data)
		}
	}
	return time.Since(began), err
}

// TestHostile: whatever a server does, there is one outcome, of a type that tells it, in words that a terminal can be given.
func TestHostile(t *testing.T) {
	t.Parallel()
	cases := hostileCases()
	if len(cases) < 60 {
		t.Errorf("%d cases", len(cases))
	}
	for _, c := range cases {
		for _, transport := range c.transports() {
			if c.heavy {
				continue // TestHostile_memory
			}
			t.Run(c.name+"/"+transport, func(t *testing.T) {
				t.Parallel()
				took, err := c.run(t, transport)
				c.judge(t, transport, err)
				t.Logf("%s: %v", took.Round(time.Millisecond), err)
			})
		}
	}
}

func (c hostileCase) judge(t *testing.T, transport string, err error) {
	t.Helper()
	if errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("did not end by itself: %v", err)
	}
	if !c.want.is(err) {
		t.Errorf("got %T %v, want %s", err, err, c.want.name)
	}
	if err == nil {
		return
	}
	text := err.Error()
	if printable.Text(text, 1<<20) != text {
		t.Errorf("%q is not fit for a terminal", text)
	}
	if transport == "http" && strings.Contains(text, password) || len(text) > 4*wire.MaxTextBytes {
		t.Errorf("a credential, or too long a text: %.200q", text)
	}
}

const hostileName = "GITOPS_TEST_HOSTILE"

// maxHostileMemory is what the process of the provider may take.
const maxHostileMemory = 512 << 10 // KB

// TestHostile_memory measures the memory of the heavy ones, each in a process of its own. The server's is in it as well.
func TestHostile_memory(t *testing.T) {
	suite.Acceptance(t, "takes long")
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc/self/status")
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range hostileCases() {
		for _, transport := range c.transports() {
			if !c.heavy {
				continue
			}
			t.Run(c.name+"/"+transport, func(t *testing.T) {
				cmd := exec.CommandContext(t.Context(), program, "-test.run=^TestHostile_process$", "-test.count=1", "-test.v")
				// The collector works as it does in the provider: see main.
				cmd.Env = append(os.Environ(), hostileName+"="+transport+" "+c.name, "GOGC=250", "GOMEMLIMIT=384MiB")
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				_, rest, _ := strings.Cut(string(out), "peak ")
				peak, _, _ := strings.Cut(rest, " KB")
				kilobytes, err := strconv.Atoi(peak)
				if err != nil {
					t.Fatalf("no peak in %s", out)
				}
				if kilobytes > maxHostileMemory {
					t.Errorf("%d MB", kilobytes>>10)
				}
				t.Logf("%d MB\n%s", kilobytes>>10, out)
			})
		}
	}
}

// TestHostile_process is what the processes of TestHostile_memory run.
func TestHostile_process(t *testing.T) {
	transport, name, found := strings.Cut(os.Getenv(hostileName), " ")
	if !found {
		t.Skip("runs in the processes of TestHostile_memory")
	}
	for _, c := range hostileCases() {
		if c.name != name {
			continue
		}
		before := peakMemory(t)
		took, err := c.run(t, transport)
		c.judge(t, transport, err)
		fmt.Printf("peak %d KB after %d KB, %s, %v\n", peakMemory(t), before, took.Round(time.Millisecond), err)
		return
	}
	t.Fatal("no such case")
}

// peakMemory in KB.
func peakMemory(t *testing.T) int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for text := range strings.Lines(string(status)) {
		if peak, found := strings.CutPrefix(text, "VmHWM:"); found {
			kilobytes, err := strconv.Atoi(strings.Fields(peak)[0])
			if err != nil {
				t.Fatal(err)
			}
			return kilobytes
		}
	}
	t.Fatal("no VmHWM")
	return 0
}

// TestHostile_redirectedPush: without credentials reading follows a redirect to another server, and a push does not.
func TestHostile_redirectedPush(t *testing.T) {
	t.Parallel()
	tip, objects := forge.Snapshot(map[string]string{"f": "content"})
	away := giving(tip, forge.Pack(objects...))
	var pushed atomic.Int32
	away.push = func(io.Writer) error { pushed.Add(1); return nil }
	there, err := url.Parse(away.overHTTP(t).URL)
	if err != nil {
		t.Fatal(err)
	}
	here := &hostile{http: func(w http.ResponseWriter, r *http.Request) {
		if pushes(r) {
			pushed.Add(1)
		}
		http.Redirect(w, r, "http://"+there.Host+r.URL.String(), http.StatusFound)
	}}
	config := here.overHTTP(t)
	config.HTTP.Username, config.HTTP.Password = "", ""
	target, err := config.normalize()
	if err != nil {
		t.Fatal(err)
	}
	e := newEngine(target)
	if file, err := e.Read(patient(t), "f"); err != nil || string(file.Data) != "content" {
		t.Fatalf("read %q, %v", file.Data, err)
	}
	_, err = e.Apply(patient(t), Change{Summary: "x", Edits: []Edit{write("f", "new")}})
	var redirect *RedirectError
	if !errors.As(err, &redirect) || redirect.URL != there.String() || errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("got %v, want *RedirectError to %s", err, there)
	}
	if pushed.Load() != 0 {
		t.Errorf("%d pushes went out", pushed.Load())
	}
}
