package gitops

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/wire"
)

// How often an unchanged branch is pushed to again: after a failure of the connection or an overloaded server, and after a refusal
// whose reason may pass.
const (
	connectionAttempts = 8
	refusalAttempts    = 4
)

// push sends the draft until its outcome is known: on the branch, turned down, or overtaken by somebody else's commit. It returns before
// that if a caller leaves: the others' changes then go into another draft.
func (b *batch) push(d *draft) error {
	e := b.e
	pack := odb.WritePack(d.objects, true)
	for tries, delay := 1, wire.FirstDelay; ; tries, delay = tries+1, min(2*delay, wire.LongestDelay) {
		e.rest(b.Context)
		epoch := e.currentEpoch()
		answer, failure := b.send(d, pack)
		if failure == nil && answer.Accepted {
			b.accept(d, wire.Place{Tip: d.id, Ref: d.id, Base: d.Base}, epoch)
			return nil
		}
		refused := lasts(failure)
		b.learn(answer, failure)
		if refused && len(b.open) == 0 {
			return failure
		}
		if b.drop() {
			return nil
		}
		if throttled := (*ThrottledError)(nil); errors.As(failure, &throttled) && len(b.open) == 0 {
			// The branch is not asked for what is known: nothing was taken.
			if throttled.Beyond(b.Context) {
				return fmt.Errorf("push: %w", failure)
			}
			b.note(failure)
			if err := throttled.Wait(b.Context, delay); err != nil {
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
		now, landed, err := b.findLanded(ctx, slices.Concat([]*draft{d}, b.open))
		switch {
		case err != nil && len(b.open) > 0:
			return unknown(fmt.Errorf("%w; %w", b.lost, err))
		case err != nil:
			return err
		case landed != nil:
			b.accept(landed, now, epoch)
			return nil
		case now.Ref != d.Ref:
			b.moved()
			return b.overtaken()
		case refused:
			return failure
		}
		b.confirmed = true
		if failure == nil && !answer.MayPass() {
			return b.declined(d, &HookDeclinedError{Reason: answer.Reason, Text: answer.Text})
		}
		if err := giveUp(tries, answer, failure); err != nil {
			if failure != nil {
				return err // not about what is in the changes
			}
			return b.declined(d, err)
		}
		pack = odb.WritePack(d.objects, !answer.Unpack)
		b.note(reasonOf(failure, answer))
		if b.drop() {
			return nil
		}
		if err := wire.Pause(b.Context, delay); err != nil {
			return err
		}
		if b.drop() {
			return nil
		}
	}
}

// learn remembers what a push that was not accepted says about the next one, and to callers who leave.
func (b *batch) learn(answer wire.Report, failure error) {
	b.e.mu.Lock()
	defer b.e.mu.Unlock()
	switch {
	case errors.Is(failure, errLeft):
	case failure != nil:
		b.noteLocked(failure)
	case !answer.MayPass():
		b.noteLocked(&HookDeclinedError{Reason: answer.Reason, Text: answer.Text})
	}
	if lasts(failure) {
		b.e.barred = failure
	}
}

// since fetches the commits that lead from one to another.
func (b *batch) since(ctx context.Context, from, to Hash) (map[Hash]odb.Object, error) {
	request := wire.FetchRequest{Wants: []Hash{to}, Filter: b.e.ladder.rest(), Optional: true}
	if from != odb.NoCommit {
		request.Haves = []Hash{from}
		if b.e.remote.Supports(capability.Shallow) {
			request.Shallows = request.Haves
		}
	}
	return b.e.remote.Fetch(ctx, request)
}

// overtaken gives other writers about one push time before the next attempt.
func (b *batch) overtaken() error {
	if b.drop(); len(b.calls) == 0 {
		return nil
	}
	return wire.Pause(b.Context, min(b.e.pushTime, wire.LongestDelay))
}

// giveUp returns the final error when there were enough attempts.
func giveUp(tries int, answer wire.Report, failure error) error {
	switch {
	case failure == nil && tries >= refusalAttempts:
		return &RejectedError{Reason: answer.Reason, Text: answer.Text}
	case failure != nil && (tries >= connectionAttempts || !errors.As(failure, new(*wire.TransientError)) && tries >= refusalAttempts):
		return fmt.Errorf("push: %w", failure)
	}
	return nil
}

func reasonOf(failure error, answer wire.Report) error {
	if failure != nil {
		return failure
	}
	return &RejectedError{Reason: answer.Reason, Text: answer.Text}
}
