package gitops

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/wire"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
)

// LastChange is the commit that last changed what is at a path. Its texts are other people's, without control characters.
type LastChange struct {
	Commit  Hash
	Author  string // may be empty
	Email   string // may be empty
	Time    time.Time
	Subject string
}

// Bounds of a search for the last change.
const (
	firstHistory, longestHistory = 32, 512 // commits, four times as many with each attempt
	maxWordsBytes                = 200
)

// historyCall is one caller that waits for the last change of a path.
type historyCall struct {
	ctx  context.Context
	path []string
	last *LastChange
	err  error
	done chan struct{}
}

// LastChange finds out who last changed what is at a path of the branch, along first parents: what a merge brought in is the merge's.
// Nil without an error: that is not known, since the change is further back than a search goes, the path never existed, or the server
// does not give commits apart from files. It takes a few requests for commits and for each level of the path;
// it is for the explanation of an error, and tries nothing twice.
func (e *Engine) LastChange(ctx context.Context, path string) (*LastChange, error) {
	segments, err := splitPath(path, true)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, e.locate(context.Cause(ctx))
	}
	call := &historyCall{ctx: ctx, path: segments, done: make(chan struct{})}
	e.mu.Lock()
	e.histories = append(e.histories, call)
	e.startLocked()
	e.mu.Unlock()
	select {
	case <-call.done:
		return call.last, call.err
	case <-ctx.Done():
		e.mu.Lock()
		defer e.mu.Unlock()
		e.histories = slices.DeleteFunc(e.histories, func(c *historyCall) bool { return c == call })
		return nil, e.locate(context.Cause(ctx))
	}
}

// answerHistories answers callers about the last changes of their paths, together.
func (e *Engine) answerHistories(calls []*historyCall) {
	g := newGroup(func(error) {})
	defer g.release()
	for _, call := range calls {
		g.join(call.ctx)
	}
	err := (&history{e: e, ctx: g, store: odb.NewStore(), calls: calls}).search()
	for _, call := range calls {
		if err != nil {
			call.err = e.locate(err)
		}
		close(call.done)
	}
}

// history is a search among the branch's last commits. It has a store of its own: the engine's is for files as they are.
type history struct {
	e       *Engine
	ctx     context.Context
	store   *odb.Store
	calls   []*historyCall
	rung    rung
	over    bool   // more cannot be had
	commits []Hash // along first parents, from the tip
	whole   bool   // they reach the branch's first commit
}

func (h *history) search() error {
	tip, err := h.begin()
	if err != nil || tip == odb.NoCommit {
		return err
	}
	for depth, open := firstHistory, h.calls; len(open) > 0 && !h.whole && depth <= longestHistory && !h.over; depth *= 4 {
		if err := h.fetch(wire.FetchRequest{Wants: []Hash{tip}, Depth: depth}); err != nil {
			return err
		}
		if err := h.follow(tip); err != nil {
			return err
		}
		if err := h.fetchTrees(open); err != nil {
			return err
		}
		open = slices.DeleteFunc(slices.Clone(open), func(c *historyCall) bool {
			c.last = h.lastChange(c.path)
			return c.last != nil
		})
	}
	return nil
}

// begin makes sure that the tip and the server's capabilities are known.
func (h *history) begin() (Hash, error) {
	e := h.e
	e.mu.Lock()
	tip, fresh := e.servedLocked()[0], e.freshLocked()
	e.mu.Unlock()
	if !fresh || !e.remote.Known() {
		if _, err := e.readTip(h.ctx); err != nil {
			return Hash{}, err
		}
		e.mu.Lock()
		tip = e.servedLocked()[0]
		e.mu.Unlock()
	}
	h.rung = max(e.ladder.at, commitAlone)
	h.over = h.rung == wholeSnapshot || !e.remote.Supports(capability.Filter) || !e.remote.Supports(capability.Shallow)
	return tip, nil
}

// fetch goes down the ladder if the server refuses a filter. Without any, or if an answer is too long, the search is over.
func (h *history) fetch(request wire.FetchRequest) error {
	request.Limit = wire.HistoryBound
	for !h.over {
		request.Filter = h.rung.filter()
		objects, err := h.e.once.Fetch(h.ctx, request)
		switch {
		case errors.As(err, new(*wire.RefusedError)):
			h.rung++
			h.over = h.rung == wholeSnapshot
			continue
		case errors.As(err, new(*LimitError)):
			h.over = true
			return nil
		case err != nil:
			return err
		}
		for id, o := range objects {
			if o.Kind != plumbing.BlobObject {
				h.store.Put(id, o)
			}
		}
		if h.store.Crowded() {
			h.over = true
		}
		return nil
	}
	return nil
}

// follow goes along the first parents as far as they have been sent.
func (h *history) follow(tip Hash) error {
	h.commits, h.whole = nil, false
	for id := tip; ; {
		commit, sent := h.store.Get(id)
		if !sent {
			return nil
		}
		h.commits = append(h.commits, id)
		header, _ := parseCommit(commit)
		parent, found := header["parent"]
		if !found {
			h.whole = true
			return nil
		}
		var err error
		if id, err = ParseHash(parent); err != nil {
			return err
		}
	}
}

// fetchTrees brings the trees along the paths in all commits, a level of all paths with each request.
func (h *history) fetchTrees(calls []*historyCall) error {
	for !h.over {
		missing := map[Hash]bool{}
		for _, call := range calls {
			for _, commit := range h.commits {
				if _, want := h.entryAt(commit, call.path); !want.IsZero() {
					missing[want] = true
				}
			}
		}
		if len(missing) == 0 {
			return nil
		}
		ids := make([]Hash, 0, len(missing))
		for id := range missing {
			ids = append(ids, id)
		}
		if err := h.fetch(wire.FetchRequest{Wants: ids}); err != nil {
			return err
		}
		if !slices.ContainsFunc(ids, h.store.Has) {
			h.over = true // not by their ids
		}
	}
	return nil
}

// entryAt looks for what is at a path of a commit. missing is the tree on the way that is not here yet.
func (h *history) entryAt(commit Hash, path []string) (found *lookup, missing Hash) {
	found = &lookup{commit: commit, path: path}
	for _, w := range found.resolve(h.store, Hash{}) {
		missing = w.id
	}
	return found, missing
}

// lastChange is the newest commit that has something else at the path than the one before it; nil: none of those that are known.
func (h *history) lastChange(path []string) *LastChange {
	for i, commit := range h.commits {
		now, _ := h.entryAt(commit, path)
		before := &lookup{done: true}
		if i+1 < len(h.commits) {
			before, _ = h.entryAt(h.commits[i+1], path)
		} else if !h.whole {
			return nil
		}
		if !now.done || !before.done || now.err != nil || before.err != nil {
			return nil
		}
		if now.entry.Hash != before.entry.Hash || now.entry.Mode != before.entry.Mode {
			o, _ := h.store.Get(commit)
			return describe(commit, o)
		}
	}
	return nil
}

// parseCommit takes a commit apart. Of a header that comes more than once the first one counts.
func parseCommit(o odb.Object) (header map[string]string, message string) {
	head, message, _ := strings.Cut(string(o.Data), "\n\n")
	header = map[string]string{}
	for line := range strings.Lines(head) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if _, known := header[name]; !known {
			header[name] = value
		}
	}
	return header, message
}

// describe is what a commit says of itself.
func describe(id Hash, commit odb.Object) *LastChange {
	header, message := parseCommit(commit)
	name, email, _ := person(header["author"])
	_, _, at := person(header["committer"])
	subject, _, _ := strings.Cut(strings.TrimSpace(message), "\n")
	return &LastChange{Commit: id, Author: printable.Line(name, maxWordsBytes), Email: printable.Line(email, maxWordsBytes), Time: at, Subject: printable.Line(subject, maxWordsBytes)}
}

// person reads NAME <MAIL> SECONDS ZONE, each of which may be missing.
func person(line string) (name, email string, at time.Time) {
	rest, when, _ := strings.Cut(line, ">")
	name, email, _ = strings.Cut(rest, "<")
	seconds, _, _ := strings.Cut(strings.TrimSpace(when), " ")
	if n, err := strconv.ParseInt(seconds, 10, 64); err == nil {
		at = time.Unix(n, 0).UTC()
	}
	return strings.TrimSpace(name), strings.TrimSpace(email), at
}
