package cluster

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/suite"
)

const (
	// memoryOf names the input that a process of its own takes, and memoryConfig its
	// Config.
	memoryOf     = "CARVEL_TEST_MEMORY_OF"
	memoryConfig = "CARVEL_TEST_MEMORY_CONFIG"
	// mostMemory is what the provider may take, with all that is linked into a test.
	mostMemory = 512 << 20
)

// greedy are the inputs that are large in memory, and what is done with them.
func greedy() map[string]hostile {
	all, answers := map[string]hostile{}, hostiles()
	for _, name := range []string{
		"gzip bomb", "gzip bomb in a list", "gzip bomb of an error", "endless body", "endless blanks", "a million objects in one",
		"watch with a huge event", "watch with a zipped event", "plugin that floods", "megabytes in a Status", "headers without end",
	} {
		all[name] = answers[name]
	}
	item := func(data string) string {
		return `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"c"},"data":` + data + `}`
	}
	listOf := func(data func() string, times int) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			one := item(data())
			zipped(`{"kind":"ConfigMapList","apiVersion":"v1","items":[`, one+",", one+"]}", times)(w, r)
		}
	}
	// As large as they may be.
	all["list of texts"] = hostile{answer: listOf(func() string { return `{"a":"` + kilobytes + `"}` }, listBytes/(len(kilobytes)+200)), verb: list, want: none}
	all["list of one text"] = hostile{answer: listOf(func() string { return `{"a":"` + strings.Repeat("a", listBytes/2-1000) + `"}` }, 1), verb: list, want: none}
	all["list of values"] = hostile{answer: listOf(func() string { return `{"":{"":0}}` }, listValues/9), verb: list, want: none}
	all["list of empty maps"] = hostile{answer: zipped(`{"kind":"ConfigMapList","apiVersion":"v1","items":[{"kind":"ConfigMap","metadata":{},"a":[`, `{},`, `{}]}]}`, listValues/2-10), verb: list, want: none}
	all["followed objects"] = hostile{
		answer: watches(manyObjects), seconds: 60, want: func(err error) bool { return errors.Is(err, context.Canceled) },
		verb: func(ctx context.Context, c *Cluster) error {
			ctx, stop := context.WithCancel(ctx)
			defer stop()
			seen := 0
			return c.Follow(ctx, configMap.Resource, "n", func(objects map[string]*unstructured.Unstructured) {
				if seen++; seen > 80 { // more than one stream
					stop()
				}
			})
		},
	}
	for name, of := range map[string]string{"ten gzip bombs": "gzip bomb in a list", "ten lists of texts": "list of texts", "ten lists of values": "list of values"} {
		ten := all[of]
		ten.verb, ten.text = together(ten.verb), ""
		all[name] = ten
	}
	return all
}

// together does what is done as often as Terraform does at a time.
func together(verb func(context.Context, *Cluster) error) func(context.Context, *Cluster) error {
	if verb == nil {
		verb = get
	}
	return func(ctx context.Context, c *Cluster) error {
		var group sync.WaitGroup
		errs := make([]error, 10)
		for i := range errs {
			group.Go(func() { errs[i] = verb(ctx, c) })
		}
		group.Wait()
		return errors.Join(errs...)
	}
}

// manyObjects is a watch that brings a megabyte under another name each time.
func manyObjects(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	for i := 0; ; i++ {
		if _, err := fmt.Fprintf(w, `{"type":"ADDED","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"c%d"},"data":{"a":"%s"}}}`,
			i, strings.Repeat(kilobytes, 16)); err != nil {
			return
		}
	}
}

// TestHostileMemory: no input takes the provider to its limit of memory. Each is
// taken by a process of its own, that reads the highest that it has come to.
func TestHostileMemory(t *testing.T) {
	suite.Acceptance(t, "takes long")
	if runtime.GOOS != "linux" {
		t.Skip("the kernel tells it in another way")
	}
	for name, h := range greedy() {
		t.Run(name, func(t *testing.T) {
			config, err := json.Marshal(h.serve(t))
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHostileMemory_alone$", "-test.count=1", "-test.v")
			cmd.Env = append(os.Environ(), memoryOf+"="+name, memoryConfig+"="+string(config))
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "--- PASS: TestHostileMemory_alone") {
				t.Fatalf("%v\n%s", err, out)
			}
			for line := range strings.Lines(string(out)) {
				if strings.Contains(line, "VmHWM") {
					t.Log(strings.TrimSpace(line))
				}
			}
		})
	}
}

// TestHostileMemory_alone is the process of one input.
func TestHostileMemory_alone(t *testing.T) {
	h, ok := greedy()[os.Getenv(memoryOf)]
	if !ok {
		t.Skip("it is run by TestHostileMemory")
	}
	var config Config
	if err := json.Unmarshal([]byte(os.Getenv(memoryConfig)), &config); err != nil {
		t.Fatal(err)
	}
	debug.SetMemoryLimit(384 << 20) // as the provider's main does
	verb := h.verb
	if verb == nil {
		verb = get
	}
	if err := verb(t.Context(), New("build_cluster", "test", config)); !h.want(err) {
		t.Errorf("got %T: %v", err, err)
	}
	peak := peakMemory(t)
	t.Logf("VmHWM %d MB", peak>>20)
	if peak > mostMemory {
		t.Errorf("it took %d MB", peak>>20)
	}
}

func peakMemory(t *testing.T) int64 {
	t.Helper()
	file, err := os.Open("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var kilobytes int64
		if _, err := fmt.Sscanf(lines.Text(), "VmHWM: %d kB", &kilobytes); err == nil {
			return kilobytes << 10
		}
	}
	t.Fatal("the kernel does not tell")
	return 0
}
