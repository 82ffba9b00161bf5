package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var configMap = Ref{Resource: schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}, Namespace: "n", Name: "c"}

// serve answers each request with the next of the answers, the last one for
// ever, and counts them.
func serve(t *testing.T, answers ...func(http.ResponseWriter)) (*Cluster, *atomic.Int64) {
	t.Helper()
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := int(requests.Add(1))
		answers[min(n, len(answers))-1](w)
	}))
	t.Cleanup(server.Close)
	return New(`run_clusters["x"]`, "test", Config{Host: server.URL}), &requests
}

func status(code int, reason, more string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"`+reason+`","code":`+strconv.Itoa(code)+more+`}`)
	}
}

func found(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"c","namespace":"n"}}`)
}

func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

func TestRetriesWhatPasses(t *testing.T) {
	c, requests := serve(t, status(503, "ServiceUnavailable", ""), status(500, "InternalError", ""), cut, found)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := c.Get(ctx, configMap); err != nil {
		t.Fatal(err)
	}
	if n := requests.Load(); n < 4 {
		t.Errorf("%d requests", n)
	}
}

func TestPasses(t *testing.T) {
	failed := func(err error) error {
		return fmt.Errorf("apply: %w", &url.Error{Op: "Patch", URL: "https://127.0.0.1/api", Err: err})
	}
	for _, text := range []string{
		"http2: client connection force closed via ClientConn.Close", "http2: client connection lost", "http2: client conn not usable",
		"http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=NO_ERROR, debug=\"\"",
		"http2: Transport received Server's graceful shutdown GOAWAY", "stream error: stream ID 5; INTERNAL_ERROR; received from peer",
		"http: server closed idle connection",
		"http: can't write HTTP request on broken connection", "read tcp: use of closed network connection", "unexpected EOF", "EOF",
	} {
		if !passes(failed(errors.New(text))) {
			t.Errorf("%s was not tried again", text)
		}
	}
	for _, early := range []error{
		fmt.Errorf("unexpected error when reading response body. Please retry. Original error: %w", io.ErrUnexpectedEOF),
		errors.New("stream error when reading response body, may be caused by closed connection. Please retry. Original error: stream error: stream ID 5"),
	} {
		if !passes(early) {
			t.Errorf("%v was not tried again", early)
		}
	}
	for _, stays := range []error{
		x509.UnknownAuthorityError{},
		errors.New("http: server gave HTTP response to HTTPS client"), errors.New("http2: unsupported scheme"),
		&net.OpError{Op: "remote error", Err: tls.AlertError(42)}, errors.New("getting credentials: exec: executable aws not found"), errors.New(`invalid URL port "x"`), context.Canceled,
	} {
		if passes(failed(stays)) {
			t.Errorf("%v was tried again", stays)
		}
	}
}

func TestDoesNotRetryWhatStays(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter){
		"forbidden": status(403, "Forbidden", ""), "not found": status(404, "NotFound", ""),
	} {
		c, requests := serve(t, answer)
		_, err := c.Get(t.Context(), configMap)
		if err == nil || requests.Load() != 1 {
			t.Errorf("%s: %v after %d requests", name, err, requests.Load())
		}
		if name == "not found" && !errors.Is(err, ErrNotFound) {
			t.Errorf("got %v", err)
		}
	}
}

func TestGivesUpWithTheContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err := New("build_cluster", "test", Config{Host: "http://127.0.0.1:1"}).Get(ctx, configMap)
	var unreachable *UnreachableError
	if !errors.As(err, &unreachable) || unreachable.Cluster != "build_cluster" || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v", err)
	}
	c, _ := serve(t, status(503, "ServiceUnavailable", ""))
	ctx, cancel = context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err = c.Get(ctx, configMap); errors.As(err, &unreachable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a server that answers is not unreachable: %v", err)
	}
}

// TestHungServer: a server that never answers ends with the context.
func TestHungServer(t *testing.T) {
	release := make(chan struct{})
	c, _ := serve(t, func(http.ResponseWriter) { <-release })
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := c.Get(ctx, configMap)
	var unreachable *UnreachableError
	if !errors.As(err, &unreachable) {
		t.Errorf("got %v", err)
	}
}

// TestStopped: a request that is stopped is neither a time-out nor a cluster out
// of reach, whatever its last try met.
func TestStopped(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	for name, answer := range map[string]func(context.CancelFunc, http.ResponseWriter){
		"during a try": func(stop context.CancelFunc, _ http.ResponseWriter) { stop(); <-release },
		"after an answer": func(stop context.CancelFunc, w http.ResponseWriter) {
			status(503, "ServiceUnavailable", "")(w)
			time.AfterFunc(50*time.Millisecond, stop)
		},
		"after a lost connection": func(stop context.CancelFunc, w http.ResponseWriter) {
			cut(w)
			time.AfterFunc(50*time.Millisecond, stop)
		},
	} {
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		c, _ := serve(t, func(w http.ResponseWriter) { answer(stop, w) })
		_, err := c.Get(ctx, configMap)
		var unreachable *UnreachableError
		if !errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &unreachable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWriteOutlivesStop: the answer to a write that has been sent is waited for
// also when Terraform is stopped, for a while, and none is sent after that.
func TestWriteOutlivesStop(t *testing.T) {
	apply := func(ctx context.Context, c *Cluster) error {
		obj := &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"name": "c"}}}
		_, err := c.Apply(ctx, configMap, obj, Manager{Name: "m"})
		return err
	}
	ctx, stop := context.WithCancel(t.Context())
	c, requests := serve(t, func(w http.ResponseWriter) {
		stop()
		time.Sleep(100 * time.Millisecond)
		found(w)
	})
	if err := apply(ctx, c); err != nil {
		t.Errorf("a write that was done was reported as %v", err)
	}
	if err := apply(ctx, c); !errors.Is(err, context.Canceled) || requests.Load() != 1 {
		t.Errorf("%v after %d requests", err, requests.Load())
	}

	defer func(before time.Duration) { grace = before }(grace)
	grace = 50 * time.Millisecond
	ctx, stop = context.WithCancel(t.Context())
	release := make(chan struct{})
	defer close(release)
	c, _ = serve(t, func(http.ResponseWriter) { stop(); <-release })
	if err := apply(ctx, c); !errors.Is(err, context.Canceled) {
		t.Errorf("a server that never answers: %v", err)
	}
}

func TestTellsErrorsApart(t *testing.T) {
	c, _ := serve(t, func(w http.ResponseWriter) { http.Error(w, "404 page not found", http.StatusNotFound) })
	var notServed *NotServedError
	if _, err := c.Get(t.Context(), configMap); !errors.As(err, &notServed) || notServed.Resource != "configmaps" {
		t.Errorf("got %v", err)
	}
	c, _ = serve(t, status(409, "Conflict", `,"details":{"causes":[{"reason":"FieldManagerConflict","message":"conflict with \"kubectl\"","field":".spec.fetch"}]}`))
	var conflict *ConflictError
	_, err := c.Apply(t.Context(), configMap, &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"name": "c"}}}, Manager{Name: "m"})
	if !errors.As(err, &conflict) || len(conflict.Fields) != 1 || conflict.Fields[0].Field != ".spec.fetch" || !strings.Contains(conflict.Fields[0].Owner, "kubectl") {
		t.Errorf("got %v", err)
	}
	c, _ = serve(t, status(409, "Conflict", ""))
	read := &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"uid": "u", "resourceVersion": "1"}}}
	if err := c.Delete(t.Context(), configMap, read); !errors.Is(err, ErrChanged) {
		t.Errorf("got %v", err)
	}
	c, _ = serve(t, status(404, "NotFound", ""))
	if err := c.Delete(t.Context(), configMap, read); err != nil {
		t.Errorf("a missing object is not an error: %v", err)
	}
}
