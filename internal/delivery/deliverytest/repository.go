package deliverytest

import (
	"cmp"
	"context"
	"crypto/sha1" //nolint:gosec // as Git's ids
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
)

// Repository stands in for the Git engine.
type Repository struct {
	Calls   *Calls
	mu      sync.Mutex
	files   map[string]string
	commits []commit
}

// commit is one, and what it left.
type commit struct {
	hash  gitops.Hash
	files map[string]string
	by    gitops.LastChange
	paths []string
}

// NewRepository holds files, by path.
func NewRepository(calls *Calls, files map[string]string) *Repository {
	r := &Repository{Calls: calls, files: map[string]string{}}
	r.Write("somebody", files)
	return r
}

// Write commits files as somebody else; an empty text deletes one.
func (r *Repository) Write(author string, files map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for at, text := range files {
		if r.files[at] = text; text == "" {
			delete(r.files, at)
		}
	}
	r.commit(author, "Write", slices.Sorted(maps.Keys(files)))
}

// link marks a file that is a symbolic link to what follows.
const link = "\x00link "

// Link commits a symbolic link as somebody else.
func (r *Repository) Link(at, target string) {
	r.Write("somebody", map[string]string{at: link + target})
}

// Files are those at the tip.
func (r *Repository) Files() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.files)
}

// Commits is how many there are.
func (r *Repository) Commits() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.commits)
}

// Last is the first line of the last commit.
func (r *Repository) Last() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.commits[len(r.commits)-1].by.Subject
}

func (r *Repository) commit(author, summary string, paths []string) gitops.Hash {
	hash := gitops.Hash(sha1.Sum(fmt.Append(nil, len(r.commits), r.files))) //nolint:gosec // as above
	r.commits = append(r.commits, commit{
		hash: hash, files: maps.Clone(r.files), paths: paths,
		by: gitops.LastChange{Author: author, Subject: summary, Commit: hash},
	})
	return hash
}

// Prefetch does nothing.
func (r *Repository) Prefetch(_ context.Context, paths ...string) error {
	end, err := r.Calls.begin("git Prefetch %d", len(paths))
	if err != nil {
		return err
	}
	return end(nil)
}

// Expect announces nothing: each change is a commit of its own.
func (r *Repository) Expect() *gitops.Expectation { return nil }

// Invalidate does nothing: the tip is always the present one.
func (r *Repository) Invalidate() {}

// List is that of the Git engine.
func (r *Repository) List(_ context.Context, dir string) ([]gitops.Entry, error) {
	end, err := r.Calls.begin("git List %s", dir)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	entries := entries(r.files, dir)
	if len(entries) == 0 && dir != "" {
		return nil, end(gitops.ErrNotExist)
	}
	return entries, end(nil)
}

func entries(files map[string]string, dir string) []gitops.Entry {
	found := map[string]gitops.Entry{}
	for at, text := range files {
		rest := at
		if dir != "" {
			var below bool
			if rest, below = strings.CutPrefix(at, dir+"/"); !below {
				continue
			}
		}
		name, _, isDir := strings.Cut(rest, "/")
		if isDir {
			found[name] = gitops.Entry{Name: name, Mode: "40000", Hash: tree(files, path.Join(dir, name))}
		} else {
			found[name] = fileEntry(name, text)
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b gitops.Entry) int { return cmp.Compare(a.Name, b.Name) })
}

func fileEntry(name, text string) gitops.Entry {
	entry := gitops.Entry{Name: name, Mode: "100644", Hash: gitops.BlobHash([]byte(text))}
	if strings.HasPrefix(text, link) {
		entry.Mode = "120000"
	}
	return entry
}

// tree stands for what a directory holds, the zero Hash if it holds nothing.
func tree(files map[string]string, dir string) gitops.Hash {
	content := map[string]string{}
	for at, text := range files {
		if dir == "" || strings.HasPrefix(at, dir+"/") {
			content[at] = text
		}
	}
	if len(content) == 0 {
		return gitops.Hash{}
	}
	return gitops.Hash(sha1.Sum(fmt.Append(nil, content))) //nolint:gosec // as above
}

// Read is that of the Git engine.
func (r *Repository) Read(_ context.Context, at string) (gitops.File, error) {
	end, err := r.Calls.begin("git Read %s", at)
	if err != nil {
		return gitops.File{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	text, ok := r.files[at]
	if !ok {
		return gitops.File{}, end(gitops.ErrNotExist)
	}
	if entry := fileEntry(at, text); entry.Irregular() != "" {
		return gitops.File{}, end(&gitops.PathError{Path: at, Reason: "is " + entry.Irregular()})
	}
	return gitops.File{Data: []byte(text), Blob: gitops.BlobHash([]byte(text))}, end(nil)
}

// Apply is that of the Git engine.
func (r *Repository) Apply(_ context.Context, change gitops.Change) (gitops.Commit, error) {
	end, err := r.Calls.begin("git Apply %s", change.Summary)
	if err != nil {
		return gitops.Commit{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	files := maps.Clone(r.files)
	var paths []string
	for _, e := range change.Edits {
		text, there := files[e.Path]
		var have gitops.Hash
		if there {
			have = gitops.BlobHash([]byte(text))
		}
		if e.IfBlob != nil && *e.IfBlob != have {
			return gitops.Commit{}, &gitops.PreconditionError{Path: e.Path, Want: *e.IfBlob, Have: have}
		}
		if e.Delete && !there || !e.Delete && there && text == string(e.Data) {
			continue // it is so already
		}
		paths = append(paths, e.Path)
		if files[e.Path] = string(e.Data); e.Delete {
			delete(files, e.Path)
		}
	}
	if len(paths) == 0 {
		return gitops.Commit{Hash: r.commits[len(r.commits)-1].hash}, end(nil)
	}
	r.files = files
	return gitops.Commit{Hash: r.commit("terraform-provider-carvel", change.Summary, paths), Changed: true}, end(nil)
}

// LastChange is that of the Git engine.
func (r *Repository) LastChange(_ context.Context, at string) (*gitops.LastChange, error) {
	end, err := r.Calls.begin("git LastChange %s", at)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range slices.Backward(r.commits) {
		if slices.Contains(c.paths, at) {
			return &c.by, end(nil)
		}
	}
	return nil, end(nil)
}

// Entries is that of the Git engine; the zero commit is the tip.
func (r *Repository) Entries(_ context.Context, at gitops.Hash, paths ...string) ([]gitops.Entry, error) {
	end, err := r.Calls.begin("git Entries %d", len(paths))
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range slices.Backward(r.commits) {
		if !at.IsZero() && c.hash != at {
			continue
		}
		found := make([]gitops.Entry, len(paths))
		for i, p := range paths {
			found[i] = entry(c.files, p)
		}
		return found, end(nil)
	}
	return nil, end(gitops.ErrCommitNotFound)
}

// entry is what is at a path, the zero Entry if nothing is.
func entry(files map[string]string, at string) gitops.Entry {
	if text, ok := files[at]; ok {
		return fileEntry(path.Base(at), text)
	}
	hash := tree(files, at)
	if hash.IsZero() {
		return gitops.Entry{}
	}
	return gitops.Entry{Name: path.Base(at), Mode: "40000", Hash: hash}
}

// ListAll is that of the Git engine.
func (r *Repository) ListAll(_ context.Context, dirs ...string) ([][]gitops.Entry, error) {
	end, err := r.Calls.begin("git ListAll %d", len(dirs))
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	lists := make([][]gitops.Entry, len(dirs))
	for i, dir := range dirs {
		lists[i] = entries(r.files, dir)
	}
	return lists, end(nil)
}

// Tip is that of the Git engine.
func (r *Repository) Tip(context.Context) (gitops.Hash, error) {
	end, err := r.Calls.begin("git Tip")
	if err != nil {
		return gitops.Hash{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.commits[len(r.commits)-1].hash, end(nil)
}

func (r *Repository) tip() gitops.Hash {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.commits[len(r.commits)-1].hash
}
