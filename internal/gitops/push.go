package gitops

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
)

// How often an unchanged branch is pushed to again: after a failure of the connection or an overloaded server, and after a refusal
// whose reason may pass.
const (
	connectionAttempts = 8
	refusalAttempts    = 4
)

// push sends the draft until its outcome is known: on the branch, turned down, or overtaken by somebody else's commit.
func (b *batch) push(d *draft) error {
	e := b.e
	pack := writePack(d.objects, true)
	var lost error // the last failure that left the outcome open
	for tries, delay := 1, firstDelay; ; tries, delay = tries+1, min(2*delay, longestDelay) {
		epoch := b.sending(d)
		began := time.Now()
		answer, failure := e.remote.push(b, d.old(), d.id, pack)
		e.pushTime = time.Since(began)
		switch {
		case failure == nil && answer.accepted:
			b.accept(d, d.id, epoch)
			return nil
		case errors.Is(failure, ErrAuth):
			e.mu.Lock()
			e.barred = failure
			e.mu.Unlock()
			return failure
		case errors.Is(failure, ErrRepositoryNotFound):
			return failure
		}
		if failure != nil {
			lost = failure
		}
		now, landed, err := b.look(d, lost != nil)
		switch {
		case err != nil && lost != nil:
			return fmt.Errorf("%w: %w; %w", ErrOutcomeUnknown, lost, err)
		case err != nil:
			return err
		case landed:
			b.accept(d, now.tip, epoch)
			return nil
		}
		if now != d.place {
			b.settled(d)
			return b.overtaken()
		}
		b.confirmed = true
		if lost == nil {
			b.settled(d)
		}
		if failure == nil && !answer.mayPass() {
			return b.declined(d, &HookDeclinedError{Reason: answer.reason, Text: answer.text})
		}
		if err := giveUp(tries, answer, failure); err != nil {
			if failure != nil {
				return err // not about what is in the changes
			}
			return b.declined(d, err)
		}
		pack = writePack(d.objects, !answer.unpack)
		b.noteLocked(reasonOf(failure, answer))
		if err := pause(b, delay); err != nil {
			return err
		}
	}
}

// sending records that the changes may be on the branch from now on, and returns the epoch that the push belongs to.
func (b *batch) sending(d *draft) (epoch int) {
	b.e.mu.Lock()
	defer b.e.mu.Unlock()
	for _, call := range d.changed {
		call.sent = true
	}
	return b.e.epoch
}

// settled records that the changes are not on the branch and will not get there by what was sent.
func (b *batch) settled(d *draft) {
	b.e.mu.Lock()
	defer b.e.mu.Unlock()
	for _, call := range d.changed {
		call.sent = false
	}
}

func (b *batch) noteLocked(err error) {
	b.e.mu.Lock()
	defer b.e.mu.Unlock()
	b.note(err)
}

// accept remembers the commit's objects and tells the callers.
func (b *batch) accept(d *draft, tip Hash, epoch int) {
	e := b.e
	e.mu.Lock()
	for _, o := range d.objects {
		if len(o.data) <= keptBlob {
			e.store.put(o.id, o.object)
		}
	}
	e.standAt(place{tip: tip}, epoch)
	waiting := len(e.writes)
	e.mu.Unlock()
	e.callers = len(b.calls) + waiting
	b.settle(d.changed, func(*writeCall) (Commit, error) { return Commit{Hash: d.id, Changed: true}, nil })
	b.settle(d.same, func(*writeCall) (Commit, error) { return Commit{Hash: d.id}, nil })
}

// look reads the tip and tells whether the draft's commit has landed there. With history it has also if it is among the commits that
// lead from its parent to the tip: the server took the push, its answer was lost, and somebody has pushed on top.
func (b *batch) look(d *draft, history bool) (now place, landed bool, err error) {
	if now, err = b.e.readTip(b, b.retry); err != nil {
		return place{}, false, err
	}
	if now.tip == d.id || now.unborn || now.tip == d.tip || !history {
		return now, now.tip == d.id, nil
	}
	request := fetchRequest{wants: []Hash{now.tip}}
	if d.tip != noCommit {
		request.haves, request.shallows = []Hash{d.tip}, []Hash{d.tip}
	}
	if b.e.filter != wholeSnapshot {
		request.filter = "tree:0"
		if b.e.filter == treesOnly {
			request.filter = "blob:none"
		}
	}
	if !b.e.remote.supports(capability.Shallow) {
		request.shallows = nil
	}
	err = b.retry.do(b, func() error {
		objects, err := b.e.remote.fetch(b, request)
		_, landed = objects[d.id]
		return err
	})
	return now, landed, err
}

// overtaken gives other writers about one push time before the next attempt.
func (b *batch) overtaken() error {
	b.confirmed = true
	b.noteLocked(ErrBranchMoved)
	b.drop()
	if len(b.calls) == 0 {
		return nil
	}
	return pause(b, min(b.e.pushTime, longestDelay))
}

// declined turns the changes down. Of several, it finds those that the server objects to: each half is pushed by itself.
func (b *batch) declined(d *draft, err error) error {
	if len(d.changed) == 1 {
		b.settle(d.changed, func(*writeCall) (Commit, error) { return Commit{}, b.e.locate(err) })
		return nil // the others learn their outcome in the next attempt
	}
	b.settleInHalves(d.changed)
	return nil
}

func (b *batch) settleInHalves(calls []*writeCall) {
	b.calls = slices.DeleteFunc(b.calls, func(c *writeCall) bool { return slices.Contains(calls, c) })
	half := len(calls) / 2
	b.e.commitBatch(slices.Clone(calls[:half]), false)
	b.e.commitBatch(slices.Clone(calls[half:]), false)
}

// mayPass tells whether another writer, or a busy server, can be the reason of a refusal. It decides about another attempt alone:
// whether the commit is on the branch is asked of the branch.
func (r report) mayPass() bool {
	if r.unpack {
		return true
	}
	for _, text := range []string{"lock", "failed to update ref", "stale", "fetch first", "non-fast-forward", "old value", "internal", "timeout", "try again"} {
		if strings.Contains(strings.ToLower(r.reason), text) {
			return true
		}
	}
	return false
}

// giveUp returns the final error when there were enough attempts.
func giveUp(tries int, answer report, failure error) error {
	switch {
	case failure == nil && tries >= refusalAttempts:
		return &RejectedError{Reason: answer.reason, Text: answer.text}
	case failure != nil && (tries >= connectionAttempts || !errors.As(failure, new(*transientError)) && tries >= refusalAttempts):
		return fmt.Errorf("push: %w", failure)
	}
	return nil
}

func reasonOf(failure error, answer report) error {
	if failure != nil {
		return failure
	}
	return &RejectedError{Reason: answer.reason, Text: answer.text}
}
