package gitops

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// TestNews: what others have pushed to the same directory comes with one request for all levels of trees.
func TestNews(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	files := packages(20)
	f.seed(files)
	e := f.engine()
	apply(t, e, "First", write("package-1/prod/params.yaml", "1"))
	f.seed(map[string]string{"package-1/prod/packageinstall.yaml": "theirs"})
	f.reset()
	apply(t, e, "Second", write("package-1/prod/params.yaml", "2"))
	// The stale push, the tip, the news, the push.
	if requests, _ := f.requests(); requests != 4 {
		t.Errorf("writing after somebody else's push took %d requests, want 4", requests)
	}
	f.seed(map[string]string{"package-1/prod/params.yaml": "theirs", "package-2/prod/params.yaml": "theirs"})
	f.reset()
	e.Invalidate()
	if file, err := e.Read(patient(t), "package-1/prod/params.yaml"); err != nil || string(file.Data) != "theirs" {
		t.Errorf("read %q, %v", file.Data, err)
	}
	// The tip, the news, the file.
	if requests, _ := f.requests(); requests != 3 {
		t.Errorf("reading after somebody else's push took %d requests, want 3", requests)
	}
	f.check(with(files, map[string]string{
		"package-1/prod/packageinstall.yaml": "theirs", "package-1/prod/params.yaml": "theirs", "package-2/prod/params.yaml": "theirs",
	}))
}

// TestNews_notGiven: if the news is refused, too long or not what was asked for, the new tip is fetched as if it were the first.
func TestNews_notGiven(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spoil func([]byte) []byte
		push  func(f *fixture, first Hash)
	}{
		"refused": {
			spoil: func([]byte) []byte { return []byte("0021ERR upload-pack: not our ref ") },
			push:  func(f *fixture, _ Hash) { f.seed(map[string]string{"a/b/c": "theirs"}) },
		},
		"too long": {
			push: func(f *fixture, _ Hash) {
				for i := range 30 { // names that do not compress
					names := map[string]string{"a/b/c": "theirs"}
					for j := range 300 {
						id := BlobHash(fmt.Appendf(nil, "%d %d", i, j)).String()
						names[fmt.Sprintf("%d/%s%s", i, id, id)] = id
					}
					f.seed(names)
				}
			},
		},
		"back in history": {
			push: func(f *fixture, first Hash) { f.git("update-ref", "refs/heads/main", first.String()) },
		},
		"another history": {
			push: func(f *fixture, _ Hash) {
				f.git("update-ref", "-d", "refs/heads/main")
				f.seed(map[string]string{"a/b/c": "theirs"})
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			first := f.seed(map[string]string{"a/b/c": "theirs", "a/d": "1"})
			f.seed(map[string]string{"a/b/c": "2"})
			e := f.engine()
			apply(t, e, "Write", write("a/b/e", "ours"))
			test.push(f, first)
			if test.spoil != nil {
				var news atomic.Bool
				f.faulty(answering(func(sent []byte) { news.Store(bytes.Contains(sent, []byte("have "))) }, func(_ *http.Request, body []byte) []byte {
					if news.Load() {
						return test.spoil(body)
					}
					return body
				}))
			}
			f.reset()
			e.Invalidate()
			if file, err := e.Read(patient(t), "a/b/c"); err != nil || string(file.Data) != "theirs" {
				t.Errorf("read %q, %v", file.Data, err)
			}
			if requests, _ := f.requests(); requests > 6 {
				t.Errorf("%d requests, want at most 6", requests)
			}
			if out := f.bytesOut(); out > 2<<20 {
				t.Errorf("%d bytes were sent", out)
			}
			if _, err := e.Read(patient(t), "nowhere"); !errors.Is(err, ErrNotExist) {
				t.Error(err)
			}
			apply(t, e, "Write", write("a/b/f", "ours"))
			f.faulty(nil)
			if got, err := f.Files(repository, "main"); err != nil || got["a/b/f"] != "ours" || got["a/b/c"] != "theirs" {
				t.Errorf("the branch holds %d files (%v)", len(got), err)
			}
			f.git("fsck", "--strict", "--no-dangling")
			if strings.Contains(name, "history") {
				return
			}
			if got, _ := f.Files(repository, "main"); got["a/b/e"] != "ours" {
				t.Error("the first write is lost")
			}
		})
	}
}
