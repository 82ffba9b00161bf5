package gitops

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
)

// How often an unchanged branch is pushed to again: after a failure of the connection or an overloaded server, and after a refusal
// whose reason may pass.
const (
	connectionAttempts = 8
	refusalAttempts    = 4
)

// push sends the draft until its outcome is known: on the branch, turned down, or overtaken by somebody else's commit. It returns before
// that where a caller leaves: the others' changes then go into another draft.
func (b *batch) push(d *draft) error {
	e := b.e
	pack := writePack(d.objects, true)
	for tries, delay := 1, firstDelay; ; tries, delay = tries+1, min(2*delay, longestDelay) {
		e.rest(b.Context)
		epoch := e.currentEpoch()
		answer, failure := b.send(d, pack)
		if failure == nil && answer.accepted {
			b.accept(d, d.id, epoch)
			return nil
		}
		refused := errors.Is(failure, ErrAuth) || errors.Is(failure, ErrRepositoryNotFound) || errors.As(failure, new(*RedirectError))
		b.learn(answer, failure)
		if refused && len(b.open) == 0 {
			return failure
		}
		if b.drop() {
			return nil
		}
		if throttled := (*ThrottledError)(nil); errors.As(failure, &throttled) && len(b.open) == 0 {
			// The branch is not asked for what is known: nothing was taken.
			if throttled.beyond(b.Context) {
				return fmt.Errorf("push: %w", failure)
			}
			b.noteLocked(failure)
			if err := throttled.wait(b.Context, delay); err != nil {
				return err
			}
			if b.drop() {
				return nil
			}
			continue
		}
		ctx := b.Context
		if len(b.open) > 0 {
			ctx = b.lasting
		}
		now, landed, err := b.look(ctx, slices.Concat([]*draft{d}, b.open))
		switch {
		case err != nil && len(b.open) > 0:
			return unknown(fmt.Errorf("%w; %w", b.lost, err))
		case err != nil:
			return err
		case landed != nil:
			b.accept(landed, now.tip, epoch)
			return nil
		case now != d.place:
			b.moved()
			return b.overtaken()
		case refused:
			return failure
		}
		b.confirmed = true
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
		if b.drop() {
			return nil
		}
		if err := pause(b.Context, delay); err != nil {
			return err
		}
		if b.drop() {
			return nil
		}
	}
}

// learn remembers what a push that was not accepted says about the next one, and to callers who leave.
func (b *batch) learn(answer report, failure error) {
	b.e.mu.Lock()
	defer b.e.mu.Unlock()
	switch {
	case errors.Is(failure, errLeft):
	case failure != nil:
		b.note(failure)
	case !answer.mayPass():
		b.note(&HookDeclinedError{Reason: answer.reason, Text: answer.text})
	}
	if errors.Is(failure, ErrAuth) {
		b.e.barred = failure
	}
}

// since fetches the commits that lead from one to another.
func (b *batch) since(ctx context.Context, from, to Hash) (objects map[Hash]object, err error) {
	request := fetchRequest{wants: []Hash{to}}
	if from != noCommit {
		request.haves, request.shallows = []Hash{from}, []Hash{from}
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
	err = b.retry.do(ctx, func() error {
		objects, err = b.e.remote.fetch(ctx, request)
		return err
	})
	return objects, err
}

// overtaken gives other writers about one push time before the next attempt.
func (b *batch) overtaken() error {
	if b.drop(); len(b.calls) == 0 {
		return nil
	}
	return pause(b.Context, min(b.e.pushTime, longestDelay))
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
	b.e.mu.Lock()
	for _, call := range calls {
		call.sent = false
	}
	b.e.mu.Unlock()
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
