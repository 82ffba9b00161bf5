package forge

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	testToken  = "s3cret-t0ken"
	testHead   = "1111111111111111111111111111111111111111"
	testMerged = "2222222222222222222222222222222222222222"
)

// pullRequest is what a host has of a request, whatever its API calls that.
type pullRequest struct {
	number         int64
	source, base   string
	title, body    string // the title without a mark of drafts
	draft, auto    bool
	method         string // of the schedule, or of the merge
	deleteBranch   bool
	labels         []string
	asked          []string // to review it
	reviewed       []string // who have done so
	state          State
	head, merge    string
	mergeable      bool
	blocked        string // the host's word for it
	version        int
	fork, running  bool
	unreadyAnswers int // merges that are refused since the host is still looking
}

// host is a forge in memory, behind the API of one kind.
type host struct {
	t    *testing.T
	mu   sync.Mutex
	next int64
	// pulls in the order in which they were opened.
	pulls  []*pullRequest
	labels []string
	users  []string

	faults []fault
	log    []string // METHOD and path of each request
}

// fault is an answer in place of the host's.
type fault struct {
	method, path string // "change": any but GET; path is a part of it
	times        int
	after        bool // the host does what it is asked to, and then answers so
	answer       http.HandlerFunc
}

// contract is a kind of forge and the server that answers as its public reference says.
type contract struct {
	kind          Kind
	repository    string // the path of the Git URL
	authorization string
	serve         func(*host) http.Handler
	blocked       string // a word for what cannot be merged
	number        bool   // a refusal of a second request tells the number
}

func (h *host) open(source, base string) *pullRequest {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.add(&pullRequest{source: source, base: base, title: "Title", body: "Body"})
}

func (h *host) add(p *pullRequest) *pullRequest {
	h.next++
	p.number, p.state, p.head, p.mergeable = h.next, Open, testHead, true
	h.pulls = append(h.pulls, p)
	return p
}

// pull is a request by its number as it is in a path; nil: none, and that has been answered.
func (h *host) pull(w http.ResponseWriter, r *http.Request) *pullRequest {
	for _, p := range h.pulls {
		if fmt.Sprint(p.number) == r.PathValue("number") {
			return p
		}
	}
	answer(w, http.StatusNotFound, map[string]any{"message": "Not Found"})
	return nil
}

// opened is the open request between two branches.
func (h *host) opened(source, base string) *pullRequest {
	for _, p := range h.pulls {
		if p.source == source && p.base == base && p.state == Open && !p.fork {
			return p
		}
	}
	return nil
}

func (p *pullRequest) close() { p.state, p.mergeable = Closed, false }

func (p *pullRequest) mergeNow() {
	p.state, p.merge, p.mergeable, p.auto = Merged, testMerged, false, false
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	if body != nil {
		_ = json.NewEncoder(w).Encode(body)
	}
}

// body reads what a request says. A field that the reference does not have fails the test.
func (h *host) body(r *http.Request, into any) {
	if got := r.Header.Get("Content-Type"); got != "application/json" {
		h.t.Errorf("%s %s has the content type %q", r.Method, r.URL, got)
	}
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		h.t.Errorf("%s %s: %v", r.Method, r.URL, err)
	}
}

// query fails the test where a request asks for something else.
func (h *host) query(r *http.Request, want map[string]string) {
	for name, value := range want {
		if got := strings.Join(r.URL.Query()[name], ","); got != value {
			h.t.Errorf("%s %s: %s is %q, want %q", r.Method, r.URL, name, got, value)
		}
	}
	for name := range r.URL.Query() {
		if _, known := want[name]; !known {
			h.t.Errorf("%s %s: no such parameter is documented: %s", r.Method, r.URL, name)
		}
	}
}

func (h *host) fail(f fault) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.faults = append(h.faults, f)
}

// requests are those of a method whose path has a part.
func (h *host) requests(method, part string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	count := 0
	for _, line := range h.log {
		if strings.HasPrefix(line, method+" ") && strings.Contains(line, part) {
			count++
		}
	}
	return count
}

// start serves the contract and returns a client of it.
func (c contract) start(t *testing.T, configure ...func(*Config)) (*host, Forge) {
	t.Helper()
	h := &host{t: t, labels: []string{"gitops", "bot"}, users: []string{"alice", "bob"}}
	api := c.serve(h)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		t.Helper()
		if _, pattern := api.(*http.ServeMux).Handler(r); pattern == "" {
			t.Errorf("%s %s is in no reference", r.Method, r.URL)
		}
		if got := r.Header.Get("Authorization"); got != c.authorization {
			t.Errorf("%s %s comes with the authorization %q", r.Method, r.URL, got)
		}
		if got := r.Header.Get("User-Agent"); got != "test/1" {
			t.Errorf("the user agent is %q", got)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.log = append(h.log, r.Method+" "+r.URL.RequestURI())
		for i := range h.faults {
			f := &h.faults[i]
			matches := f.method == r.Method || f.method == "change" && r.Method != http.MethodGet
			if f.times == 0 || !matches || !strings.Contains(r.URL.Path, f.path) {
				continue
			}
			f.times--
			if f.after {
				api.ServeHTTP(httptest.NewRecorder(), r)
			}
			f.answer(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	config := Config{
		Kind: c.kind, Repository: server.URL + c.repository, AllowInsecure: true, UserAgent: "test/1",
		Token: func(context.Context) (string, error) { return testToken, nil },
	}
	if c.kind == Bitbucket {
		config.APIURL = server.URL
	}
	for _, change := range configure {
		change(&config)
	}
	f, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	quick(f)
	return h, f
}

// quick takes the time out of waiting.
func quick(f Forge) {
	f.(checked).Forge.(interface{ shared() *client }).shared().pause = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
}

func (c *client) shared() *client { return c }

// lose breaks the connection in place of an answer.
func lose(w http.ResponseWriter, _ *http.Request) {
	connection, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		connection.Close()
	}
}

func status(code int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		answer(w, code, map[string]any{"message": fmt.Sprintf("so says the forge, to %s", testToken)})
	}
}

// named are objects with one field, in the order of the names.
func named(field string, names []string) []map[string]any {
	objects := []map[string]any{}
	for _, name := range names {
		objects = append(objects, map[string]any{field: name})
	}
	return objects
}

func jsonOf(t *testing.T, value any) string {
	t.Helper()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	if err := encoder.Encode(value); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func reversed[T any](list []T) []T {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}
