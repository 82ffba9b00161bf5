package gitops

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// answering rewrites what the server sends and looks at what it gets.
func answering(request func([]byte), response func(r *http.Request, body []byte) []byte) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sent, err := io.ReadAll(r.Body)
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			request(sent)
			r.Body = io.NopCloser(bytes.NewReader(sent))
			recorder := httptest.NewRecorder()
			next.ServeHTTP(recorder, r)
			body := response(r, recorder.Body.Bytes())
			w.Header().Set("Content-Type", recorder.Header().Get("Content-Type"))
			w.WriteHeader(recorder.Code)
			_, _ = w.Write(body)
		})
	}
}

// without blanks a capability out of the advertisement, and keeps the packet lengths.
func without(capability string) func(http.Handler) http.Handler {
	return answering(func([]byte) {}, func(r *http.Request, body []byte) []byte {
		if r.Method != http.MethodGet {
			return body
		}
		return bytes.ReplaceAll(body, []byte(" "+capability), []byte(" "+strings.Repeat("x", len(capability))))
	})
}

// TestLadder reads, writes, meets somebody else's push and reads again, with servers that know less and less.
func TestLadder(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		config    []string
		intercept func(http.Handler) http.Handler
		filter    string
	}{
		{"all", []string{"uploadpack.allowFilter=true"}, nil, "tree:1"},
		{"tree:0 alone", []string{"uploadpack.allowFilter=true", "uploadpackfilter.tree.maxDepth=0"}, nil, "tree:0"},
		{"blob:none alone", []string{"uploadpack.allowFilter=true", "uploadpackfilter.tree.allow=false"}, nil, "blob:none"},
		{"no filter", nil, nil, ""},
		{"no filter, no shallow", nil, without("shallow"), ""},
		{"no sideband", []string{"uploadpack.allowFilter=true"}, without("side-band-64k"), "tree:1"},
		{"no ofs-delta", nil, without("ofs-delta"), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t, withConfig(test.config...))
			files := packages(10)
			f.seed(files)
			f.faulty(test.intercept)
			e := f.engine()
			read := func(path, want string) {
				t.Helper()
				file, err := e.Read(patient(t), path)
				if err != nil || string(file.Data) != want {
					t.Errorf("read %s: %q, %v; want %q", path, file.Data, err, want)
				}
			}
			read("package-3/prod/params.yaml", "replicas: 1\n")
			apply(t, e, "Write", write("package-3/prod/params.yaml", "ours"))
			f.seed(map[string]string{"package-4/prod/params.yaml": "theirs"})
			apply(t, e, "Write", write("package-5/prod/params.yaml", "ours"))
			read("package-4/prod/params.yaml", "theirs")
			if e.ladder.commit() != test.filter {
				t.Errorf("the engine uses filter %q, want %q", e.ladder.commit(), test.filter)
			}
			f.check(with(files, map[string]string{
				"package-3/prod/params.yaml": "ours", "package-4/prod/params.yaml": "theirs", "package-5/prod/params.yaml": "ours",
			}))
		})
	}
}

// TestLadder_commitsAlone: a server that refuses to give trees and blobs by their ids gives whole snapshots.
func TestLadder_commitsAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	files := packages(10)
	first := f.seed(files)
	f.seed(map[string]string{"package-3/prod/params.yaml": "newer"})
	var wants atomic.Value
	f.faulty(answering(func(sent []byte) { wants.Store(sent) }, func(r *http.Request, body []byte) []byte {
		sent := wants.Load().([]byte)
		if r.Method == http.MethodPost && bytes.Contains(sent, []byte("want ")) && !bytes.Contains(sent, []byte("deepen 1")) {
			return []byte("0021ERR upload-pack: not our ref ")
		}
		return body
	}))
	e := f.engine()
	want := mustHash(t, f.git("rev-parse", "main^:package-3/prod"))
	if got, err := treeAt(t, e, first, "package-3/prod"); err != nil || got != want {
		t.Errorf("tree %s, %v; want %s", got, err, want)
	}
	file, err := e.Read(patient(t), "package-3/prod/params.yaml")
	if err != nil || string(file.Data) != "newer" {
		t.Fatalf("read %q, %v", file.Data, err)
	}
	apply(t, e, "Write", write("package-3/prod/params.yaml", "ours"))
	f.faulty(nil)
	f.check(with(files, map[string]string{"package-3/prod/params.yaml": "ours"}))
}

func TestRemote_asksForMultiACK(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	var asked, missed atomic.Int32
	f.faulty(answering(func(sent []byte) {
		switch {
		case bytes.Contains(sent, []byte(" multi_ack_detailed")):
			asked.Add(1)
		case bytes.Contains(sent, []byte("want ")):
			missed.Add(1)
		}
	}, func(_ *http.Request, body []byte) []byte { return body }))
	if _, err := f.engine().Read(patient(t), "a"); err != nil {
		t.Fatal(err)
	}
	if asked.Load() == 0 || missed.Load() != 0 {
		t.Errorf("%d fetches asked for multi_ack_detailed, %d did not", asked.Load(), missed.Load())
	}
}

func TestRemote_redirect(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	f.faulty(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if rest, old := strings.CutPrefix(r.URL.Path, "/old.git/"); old {
				http.Redirect(w, r, "/"+repository+".git/"+rest+"?"+r.URL.RawQuery, http.StatusMovedPermanently)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	// Within the server, the discovery's redirect holds for reading; credentials are not taken along to another place by a push.
	e := f.engine(func(c *Config) { c.URL = strings.Replace(c.URL, "/"+repository+".git", "/old.git", 1) })
	if e.Moved() != "" {
		t.Error("it has moved before anybody has asked")
	}
	if file, err := e.Read(patient(t), "a"); err != nil || string(file.Data) != "1" {
		t.Fatalf("read %q, %v", file.Data, err)
	}
	apply(t, e, "Write", write("b", "2"))
	f.check(map[string]string{"a": "1", "b": "2"})
	if e.Moved() != f.URL(repository) {
		t.Errorf("it has moved to %q, want %s", e.Moved(), f.URL(repository))
	}
	f.faulty(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if rest, without := strings.CutPrefix(r.URL.Path, "/"+repository+"/"); without {
				http.Redirect(w, r, "/"+repository+".git/"+rest+"?"+r.URL.RawQuery, http.StatusMovedPermanently)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	for _, url := range []string{f.URL(repository), strings.TrimSuffix(f.URL(repository), ".git")} {
		e = f.engine(func(c *Config) { c.URL = url })
		if _, err := e.Read(patient(t), "a"); err != nil || e.Moved() != "" {
			t.Errorf("%s has moved to %q, %v", url, e.Moved(), err)
		}
	}
}

func TestRemote_redirectToAnotherServerTakesNoCredentials(t *testing.T) {
	t.Parallel()
	var asked atomic.Bool
	thief := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Store(true)
		http.Error(w, "who are you", http.StatusUnauthorized)
	}))
	defer thief.Close()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	f.faulty(func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, thief.URL+r.URL.Path+"?"+r.URL.RawQuery, http.StatusFound)
		})
	})
	authority := string(pemOf(thief.Certificate().Raw))
	e := f.engine(func(c *Config) { c.HTTP.CertificateAuthority += authority })
	var redirect *RedirectError
	if _, err := e.Read(patient(t), "a"); !errors.As(err, &redirect) || redirect.To != thief.URL || redirect.URL != thief.URL+"/"+repository+".git" {
		t.Errorf("got %v, want *RedirectError to %s", err, thief.URL)
	}
	if asked.Load() {
		t.Error("another server was asked with credentials at hand")
	}
	f.faulty(nil)
	e.Invalidate()
	if _, err := e.Read(patient(t), "a"); err != nil {
		t.Errorf("after the redirect has gone: %v", err)
	}
}

func TestRemote_bearerToken(t *testing.T) {
	t.Parallel()
	var authorization, agent, path atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		authorization.Store(r.Header.Get("Authorization"))
		agent.Store(r.Header.Get("User-Agent"))
		path.Store(r.URL.RequestURI())
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(http.StatusForbidden)
		zip := gzip.NewWriter(w)
		_, _ = zip.Write([]byte("no"))
		_ = zip.Close()
	}))
	defer server.Close()
	target, err := Config{
		URL: server.URL + "/a%20b/c.git/", UserAgent: "terraform-provider-carvel/1.2.3", HTTP: HTTPAuth{BearerToken: "t0ken", AllowInsecure: true},
	}.normalize()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newEngine(target).Tip(patient(t)); !errors.Is(err, ErrAuth) || strings.Contains(err.Error(), "t0ken") {
		t.Errorf("got %v, want ErrAuth", err)
	}
	if got := authorization.Load(); got != "Bearer t0ken" {
		t.Errorf("authorization %q", got)
	}
	if got := agent.Load(); got != "git/2.0 (terraform-provider-carvel/1.2.3)" {
		t.Errorf("user agent %q", got)
	}
	want := (&url.URL{Path: "/a b/c.git/info/refs", RawQuery: "service=git-upload-pack"}).RequestURI()
	if got := path.Load(); got != want {
		t.Errorf("asked for %q, want %q", got, want)
	}
}
