package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd/api"
)

const (
	// pluginRuns names a file that gets a byte each time that the test's binary
	// runs as a credential plugin.
	pluginRuns = "CARVEL_TEST_PLUGIN_RUNS"
	// pluginMode is how it behaves.
	pluginMode = "CARVEL_TEST_PLUGIN_MODE"
)

// pluginSecret is what plugins give away that fail.
const pluginSecret = "s3cret-of-the-plugin"

func TestMain(m *testing.M) {
	if os.Getenv(pluginRuns) == "" && os.Getenv(pluginMode) == "" {
		flag.Parse()
		// More tests at once than there are cores: most of them wait for a server's next attempt.
		if err := flag.Set("test.parallel", "16"); err != nil {
			panic(err)
		}
		os.Exit(m.Run())
	}
	os.Exit(actAsPlugin(os.Getenv(pluginMode), runs(os.Getenv(pluginRuns))))
}

// runs counts a run in a file.
func runs(path string) int64 {
	if path == "" {
		return 1
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = file.WriteString("x")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	info, err := file.Stat()
	if err != nil {
		os.Exit(1)
	}
	return info.Size()
}

func actAsPlugin(mode string, run int64) int {
	var about struct{ APIVersion string }
	if err := json.Unmarshal([]byte(os.Getenv(execInfo)), &about); err != nil && mode != "child" {
		fmt.Fprintln(os.Stderr, "no", execInfo)
		return 1
	}
	give := func(version, status string) {
		fmt.Printf(`{"apiVersion":%q,"kind":"ExecCredential","status":%s}`, version, status)
	}
	switch mode {
	case "": // a good one
		give(about.APIVersion, fmt.Sprintf(`{"token":"token-%d"}`, run))
	case "expires":
		give(about.APIVersion, fmt.Sprintf(`{"token":"token-%d","expirationTimestamp":"2020-01-01T00:00:00Z"}`, run))
	case "certificate":
		status, err := os.ReadFile(os.Getenv("CARVEL_TEST_PLUGIN_STATUS"))
		if err != nil {
			return 1
		}
		give(about.APIVersion, string(status))
	case "hang": // with a process of its own that holds the output
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), pluginMode+"=child", pluginRuns+"=")
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		if err := child.Start(); err != nil {
			return 1
		}
		if path := os.Getenv("CARVEL_TEST_PLUGIN_PIDS"); path != "" {
			if err := os.WriteFile(path+".new", fmt.Appendf(nil, "%d %d", os.Getpid(), child.Process.Pid), 0o600); err != nil {
				return 1
			}
			if err := os.Rename(path+".new", path); err != nil {
				return 1
			}
		}
		time.Sleep(time.Hour)
	case "child":
		time.Sleep(time.Hour)
	case "flood":
		for line := strings.Repeat("f", 64<<10); ; {
			if _, err := os.Stdout.WriteString(line); err != nil {
				time.Sleep(time.Hour) // which it takes for no reason to end
			}
		}
	case "noise":
		for range 1000 {
			os.Stderr.WriteString(strings.Repeat("\x1b[31mnoise", 1000))
		}
		give(about.APIVersion, `{"token":"token-1"}`)
	case "fail":
		fmt.Fprintln(os.Stderr, "\x1b[31mlog in first; I was given "+os.Getenv("PLUGIN_PASSWORD"))
		return 3
	case "garbage":
		fmt.Print("<html>\x1b[2J" + pluginSecret)
	case "no kind":
		fmt.Printf(`{"status":{"token":%q}}`, pluginSecret)
	case "nothing":
	case "other version":
		give("client.authentication.k8s.io/v1alpha7", fmt.Sprintf(`{"token":%q}`, pluginSecret))
	case "no token":
		give(about.APIVersion, `{}`)
	case "half":
		give(about.APIVersion, fmt.Sprintf(`{"clientKeyData":%q}`, pluginSecret))
	case "no certificate":
		give(about.APIVersion, fmt.Sprintf(`{"clientKeyData":%q,"clientCertificateData":"none"}`, pluginSecret))
	case "info":
		give(about.APIVersion, fmt.Sprintf(`{"token":%q}`, strings.ReplaceAll(strings.TrimSpace(os.Getenv(execInfo)), `"`, "'")))
	}
	return 0
}

// behaving is a plugin that behaves in a way.
func behaving(mode string, env map[string]string) *Exec {
	all := map[string]string{pluginMode: mode}
	maps.Copy(all, env)
	return &Exec{APIVersion: "client.authentication.k8s.io/v1", Command: os.Args[0], Env: all}
}

// TestPluginStops: a plugin that hangs ends with the request, and the processes
// that it has started with it.
func TestPluginStops(t *testing.T) {
	pids := filepath.Join(t.TempDir(), "pids")
	c := New("x", "test", Config{Host: "https://127.0.0.1:1", Exec: behaving("hang", map[string]string{"CARVEL_TEST_PLUGIN_PIDS": pids})})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	waiting := make(chan error, 1)
	go func() { _, err := c.Get(ctx, configMap); waiting <- err }()
	var text []byte
	eventually(t, "the plugin runs", func() bool {
		var err error
		text, err = os.ReadFile(pids)
		return err == nil
	})
	// One that waits for the plugin's answer ends by itself as well.
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := c.Get(short, configMap); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("another request: %v", err)
	}
	stop()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	for pid := range strings.FieldsSeq(string(text)) {
		pid, err := strconv.Atoi(pid)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the plugin's process ends", func() bool { return !isAlive(pid) })
	}
}

// eventually waits for longer than any machine needs.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for until := time.Now().Add(2 * time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("it does not come to pass that %s", what)
		}
	}
}

// accepting is a server that takes one token and notes those that it sees.
func accepting(t *testing.T) (*httptest.Server, func() []string) {
	t.Helper()
	var mu sync.Mutex
	var seen []string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen = append(seen, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		mu.Unlock()
		found(w)
	}))
	t.Cleanup(server.Close)
	return server, func() []string { mu.Lock(); defer mu.Unlock(); return seen }
}

// TestPluginExpires: a credential is used until it expires.
func TestPluginExpires(t *testing.T) {
	for mode, want := range map[string]string{"": "[token-1 token-1]", "expires": "[token-1 token-2]"} {
		t.Run(mode, func(t *testing.T) {
			server, seen := accepting(t)
			c := New("x", "test", Config{Host: server.URL, Insecure: true, Exec: behaving(mode, map[string]string{pluginRuns: filepath.Join(t.TempDir(), "runs")})})
			for range 2 {
				if _, err := c.Get(t.Context(), configMap); err != nil {
					t.Fatal(err)
				}
			}
			if got := fmt.Sprint(seen()); got != want {
				t.Errorf("mode %q: %s, want %s", mode, got, want)
			}
		})
	}
}

// TestPluginTogether: requests at the same time have the plugin run once.
func TestPluginTogether(t *testing.T) {
	server, seen := accepting(t)
	c := New("x", "test", Config{Host: server.URL, Insecure: true, Exec: behaving("", map[string]string{pluginRuns: filepath.Join(t.TempDir(), "runs")})})
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if _, err := c.Get(t.Context(), configMap); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, token := range seen() {
		if token != "token-1" {
			t.Errorf("%s was used", token)
		}
	}
}

// TestPluginNoise: what a plugin says beside its credential is no failure.
func TestPluginNoise(t *testing.T) {
	server, _ := accepting(t)
	if _, err := New("x", "test", Config{Host: server.URL, Insecure: true, Exec: behaving("noise", nil)}).Get(t.Context(), configMap); err != nil {
		t.Error(err)
	}
}

// TestPluginOfKubeconfig: what a kubeconfig says of a plugin is kept: the version of
// its protocol, and what it is told of the cluster.
func TestPluginOfKubeconfig(t *testing.T) {
	server, seen := accepting(t)
	kubeconfig := func(version, more, command string) string {
		return `{current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}],
clusters: [{name: c, cluster: {server: "` + server.URL + `", insecure-skip-tls-verify: true,
  extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: aud}}]}}],
users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/` + version + `, command: ` + strconv.Quote(command) + `, ` + more + `,
  env: [{name: ` + pluginMode + `, value: info}]}}}]}`
	}
	for _, c := range []struct{ version, more, has, hasNot string }{
		{"v1", "interactiveMode: IfAvailable, provideClusterInfo: true", "'audience':'aud'", "'interactive':true"},
		{"v1", "interactiveMode: Never", "client.authentication.k8s.io/v1'", "'server'"},
		{"v1beta1", "provideClusterInfo: true", "client.authentication.k8s.io/v1beta1'", "'interactive':true"},
	} {
		t.Run(c.version, func(t *testing.T) {
			if _, err := New("x", "test", Config{Kubeconfig: kubeconfig(c.version, c.more, os.Args[0])}).Get(t.Context(), configMap); err != nil {
				t.Errorf("%+v: %v", c, err)
				return
			}
			all := seen()
			if info := all[len(all)-1]; !strings.Contains(info, c.has) || strings.Contains(info, c.hasNot) {
				t.Errorf("%+v: told %s", c, info)
			}
		})
	}
	for name, c := range map[string]struct{ more, command, want string }{
		"missing":     {"interactiveMode: Never, installHint: get it", "/nosuch/plugin", "get it"},
		"interactive": {"interactiveMode: Always", os.Args[0], ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New("x", "test", Config{Kubeconfig: kubeconfig("v1", c.more, c.command)}).Get(t.Context(), configMap)
			var plugin *PluginError
			if !errors.As(err, &plugin) || plugin.Hint != c.want || plugin.Cluster != "x" {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	_, err := New("x", "test", Config{Host: server.URL, Exec: &Exec{APIVersion: "client.authentication.k8s.io/v7", Command: "x"}}).Get(t.Context(), configMap)
	var connection *ConnectionError
	if !errors.As(err, &connection) {
		t.Errorf("unknown version: %v", err)
	}
}

// TestPluginIsSecond: other credentials win over a plugin's, which does not run.
func TestPluginIsSecond(t *testing.T) {
	server, seen := accepting(t)
	token := write(t, "token", "of-a-file")
	for _, config := range []Config{{Token: "given"}, {TokenPath: token}} {
		config.Host, config.Insecure, config.Exec = server.URL, true, behaving("fail", nil)
		if _, err := New("x", "test", config).Get(t.Context(), configMap); err != nil {
			t.Error(err)
		}
	}
	if got := fmt.Sprint(seen()); got != "[given of-a-file]" {
		t.Errorf("got %s", got)
	}
}

// TestPluginCertificate: a client certificate of a plugin is shown, and another
// one after a refusal on a connection of its own.
func TestPluginCertificate(t *testing.T) {
	first, second := clientCertificate(t, "one"), clientCertificate(t, "two")
	status := filepath.Join(t.TempDir(), "status")
	give := func(pair [2]string) {
		text, err := json.Marshal(map[string]string{"clientCertificateData": pair[0], "clientKeyData": pair[1]})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(status, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var taken atomic.Value
	taken.Store("one")
	server := certificateServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name := r.TLS.PeerCertificates[0].Subject.CommonName; name != taken.Load() {
			httpStatus(http.StatusUnauthorized)(w)
			return
		}
		found(w)
	}))
	c := New("x", "test", Config{Host: server.URL, Insecure: true, Exec: behaving("certificate", map[string]string{"CARVEL_TEST_PLUGIN_STATUS": status})})
	give(first)
	if _, err := c.Get(t.Context(), configMap); err != nil {
		t.Fatal(err)
	}
	give(second)
	taken.Store("two")
	if _, err := c.Get(t.Context(), configMap); err != nil {
		t.Error(err)
	}
}

func TestPluginNeedsNoTerminal(t *testing.T) {
	p := &plugin{config: &api.ExecConfig{Command: os.Args[0], InteractiveMode: api.AlwaysExecInteractiveMode}}
	if _, err := p.run(t.Context()); err == nil || !strings.Contains(err.Error(), "terminal") {
		t.Errorf("got %v", err)
	}
}
