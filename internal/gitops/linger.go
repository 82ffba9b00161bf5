package gitops

import "time"

// How long a commit waits for another change: the first of all, and those that have reason to expect one. Between the bounds it is what
// the last push took, since a caller who is late costs one more.
const firstLinger, minLinger, maxLinger = 25 * time.Millisecond, 150 * time.Millisecond, 250 * time.Millisecond

// longestLinger bounds the waits of one commit together, for callers who come one by one.
const longestLinger = time.Second

// linger waits for a change that the next commit should take along, and reports whether one has come. There is nothing to wait for when
// all are there who had changes in the last commit or were waiting then; the first commit of all meets callers that start together.
// Time that has passed since the last change came counts, so that a commit whose trees had to be fetched waits no longer.
func (b *batch) linger() bool {
	e := b.e
	e.mu.Lock()
	waiting := len(b.calls) + len(e.writes)
	since := e.queued
	e.mu.Unlock()
	enough := firstLinger
	if e.callers > 0 {
		enough = min(max(e.pushTime, minLinger), maxLinger)
		if waiting >= e.callers {
			return waiting > len(b.calls)
		}
	}
	timeout := time.NewTimer(min(time.Until(since.Add(enough)), time.Until(b.began.Add(longestLinger))))
	defer timeout.Stop()
	for {
		select {
		case <-e.arrived: // perhaps the token of one that is here already
		case <-timeout.C:
			return false
		case <-b.Done():
			return false
		}
		e.mu.Lock()
		waiting := len(e.writes)
		e.mu.Unlock()
		if waiting > 0 {
			return true
		}
	}
}
