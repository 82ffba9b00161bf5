package gitops

import "time"

// How long a commit waits for another change: the first of all, and those that have reason to expect one. Between the bounds it is what
// the last push took, since a caller who is late costs one more; where a push takes long it is half of that.
const (
	firstLinger = 25 * time.Millisecond
	minLinger   = 150 * time.Millisecond
	maxLinger   = 250 * time.Millisecond
	slowLinger  = 2 * time.Second
)

// longestLinger bounds the waits of one commit together, for callers who come one by one, where a single wait is not long.
const longestLinger = time.Second

// lingers are how long a commit waits for another change after a push that took so long, and how long at most for all.
func lingers(push time.Duration) (one, most time.Duration) {
	one = min(max(push, minLinger), max(maxLinger, min(push/2, slowLinger)))
	return one, max(longestLinger, 2*one)
}

// announcedLinger is how long a commit waits for another change after one whose changes were announced: who announces one takes its time
// before, and again before the next.
const announcedLinger = time.Second

// longestExpected bounds the wait of one commit for changes that are expected: who has announced one may be kept from it.
const longestExpected = 5 * time.Second

// Expectation is the announcement of a change. Its holder passes it on in the Change, or drops it.
type Expectation struct {
	e    *Engine
	over bool // guarded by the engine's lock
}

// Expect announces a change that takes a moment to prepare, so that a commit which is about to be made waits for it, for some seconds at
// most: callers that start together then share a push however long each of them takes.
func (e *Engine) Expect() *Expectation {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.expected++
	return &Expectation{e: e}
}

// Drop takes the announcement back. It does nothing if the change has come, or a second time.
func (x *Expectation) Drop() {
	if x == nil {
		return
	}
	x.e.mu.Lock()
	defer x.e.mu.Unlock()
	x.endLocked()
}

func (x *Expectation) endLocked() {
	if x == nil || x.over {
		return
	}
	x.over = true
	x.e.expected--
	select {
	case x.e.arrived <- struct{}{}:
	default:
	}
}

// linger waits for a change that the next commit should take along, and reports whether one has come. There is nothing to wait for when
// all are there who had changes in the last commit or were waiting then, and no other is expected; the first commit of all meets callers
// that start together. Time that has passed since the last change came counts, so that a commit whose trees had to be fetched waits no
// longer.
func (b *batch) linger() bool {
	e := b.e
	for over := false; ; {
		e.mu.Lock()
		queued, expected, since := len(e.writes), e.expected, e.queued
		e.mu.Unlock()
		enough := firstLinger
		last := b.began.Add(longestLinger)
		switch {
		case e.announced:
			enough, last = announcedLinger, b.began.Add(longestExpected)
		case e.callers > 0:
			var most time.Duration
			enough, most = lingers(e.pushTime)
			last = b.began.Add(most)
		}
		until := since.Add(enough)
		if until.After(last) {
			until = last
		}
		switch {
		case queued > 0:
			return true
		case over:
			return false
		case expected > 0:
			until = b.began.Add(longestExpected)
		case e.callers > 0 && len(b.calls) >= e.callers:
			return false
		}
		timeout := time.NewTimer(time.Until(until))
		select {
		case <-e.arrived: // perhaps the token of one that is here already
			timeout.Stop()
		case <-timeout.C: // perhaps in the same moment as another change
			over = true
		case <-b.Done():
			timeout.Stop()
			return false
		}
	}
}
