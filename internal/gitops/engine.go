package gitops

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/wire"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/outage"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
)

// Engine is a branch of a remote repository. Its methods may be called from many goroutines: reads share fetches, changes share commits.
// Reads are answered as of one tip, which is asked of the server once after Open or Invalidate.
type Engine struct {
	target *target
	grace  time.Duration // outcomeGrace

	mu        sync.Mutex
	store     *odb.Store
	at        wire.Place     // of the branch; a zero tip: not known
	epoch     int            // counts Invalidate
	tipFrom   int            // the epoch in which the server was asked for the tip
	refused   error          // of a fetch, which lasts until Invalidate
	outage    *outage.Outage // until Invalidate
	barred    error          // of a push, which lasts until Invalidate; or what the server objects to the branch with
	objection objection      // of the server, since Invalidate
	settled   settled        // of a branch with a base
	proposal  *proposal      // of a branch with a base, as of the last tip
	moved     string         // where the repository was redirected to on the server; empty: it was not
	reads     []*readCall
	writes    []*writeCall
	histories []*historyCall
	running   bool
	expected  int           // changes that are announced and have not come
	arrived   chan struct{} // holds a token when a write has been queued, or is not expected any more
	queued    time.Time     // when the last write was
	wake      chan struct{} // holds a token when anything has been queued

	loop
}

// loop is what belongs to the goroutine that talks to the server, and needs no lock.
type loop struct {
	remote  wire.Remote // its reads are tried again
	once    wire.Remote // the same, and nothing is tried again
	ladder  ladder
	before  Hash // the tip before this one, if it was fetched: what has changed since can be asked for; else zero
	fetched bool // objects were fetched by their ids in this round
	rounds  int  // of reads at this tip that fetched objects by their ids
	callers int  // who waited for the last commit or for the next when it was made; zero before the first
	// announced: the last commit had changes that were announced.
	announced bool
	pushTime  time.Duration // of the last push
	pushed    time.Time     // when the last push began
}

var registry = struct {
	sync.Mutex
	engines map[string]*Engine
}{engines: map[string]*Engine{}}

// Open returns the engine of a configuration, the same one every time in a process. Opening it again marks what it knows of the
// server as stale, as Invalidate does. There is no network access. The error is a *ConfigError.
func Open(config Config) (*Engine, error) {
	t, err := config.normalize()
	if err != nil {
		return nil, err
	}
	registry.Lock()
	defer registry.Unlock()
	if e := registry.engines[t.key()]; e != nil {
		e.Invalidate()
		return e, nil
	}
	e := newEngine(t)
	registry.engines[t.key()] = e
	return e, nil
}

func newEngine(t *target) *Engine {
	e := &Engine{
		target: t, grace: outcomeGrace, store: odb.NewStore(), outage: new(outage.Outage),
		arrived: make(chan struct{}, 1), wake: make(chan struct{}, 1),
	}
	server := t.server()
	server.Moved = func(url string) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.moved = t.redact(url)
	}
	e.once = wire.New(server)
	e.remote = wire.Retrying(e.once, e.outage)
	return e
}

// Invalidate makes the next read ask the server for the tip, and forgets a refusal that lasts and an outage. There is no network access.
func (e *Engine) Invalidate() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.epoch++
	e.refused, e.barred, e.objection = nil, nil, objection{}
	e.outage.Answered()
}

func (e *Engine) currentEpoch() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.epoch
}

// Repository is the URL without credentials, for messages.
func (e *Engine) Repository() string { return e.target.name() }

// Moved is the repository's URL where the server, as far as it was asked, redirects to: it has been renamed. Empty: it does not redirect,
// or to another host, which is an error.
func (e *Engine) Moved() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.moved
}

// Branch is the branch's name.
func (e *Engine) Branch() string { return e.target.Branch }

// freshLocked reports whether reads may be answered from the known tip.
func (e *Engine) freshLocked() bool { return !e.at.Tip.IsZero() && e.tipFrom == e.epoch }

// startLocked runs the loop if it is not running.
func (e *Engine) startLocked() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
	if !e.running {
		e.running = true
		go e.run()
	}
}

// run owns the network. It ends when there is nothing to do; the connections then close by themselves.
func (e *Engine) run() {
	for {
		e.mu.Lock()
		reads, histories := e.reads, e.histories
		e.reads, e.histories = nil, nil
		pending := len(e.writes)
		e.store.MakeRoom(e.at.Tip)
		if len(reads) == 0 && len(histories) == 0 && pending == 0 {
			e.running = false
			e.mu.Unlock()
			return
		}
		e.mu.Unlock()
		if len(reads) > 0 {
			e.answerReads(reads)
		}
		if pending > 0 && !e.rests(len(reads)+len(histories) == 0) {
			if batch := e.takeWrites(); len(batch) > 0 {
				e.commitBatch(batch, wholeBatch)
			}
		}
		if len(histories) > 0 {
			e.answerHistories(histories)
		}
	}
}

// errTooEarly is what a change waits for between two pushes.
var errTooEarly = errors.New("there was a push just before, and the least time between two pushes is not over")

// rests reports whether it is too early for a push. With wait it returns at its time, or when anything has been queued.
func (e *Engine) rests(wait bool) bool {
	early := time.Until(e.pushed.Add(e.target.PushInterval))
	if early <= 0 {
		return false
	}
	e.mu.Lock()
	for _, call := range e.writes {
		call.last = errTooEarly
	}
	e.mu.Unlock()
	if wait {
		timeout := time.NewTimer(early)
		defer timeout.Stop()
		select {
		case <-timeout.C:
		case <-e.wake:
		}
	}
	return true
}

// rest waits until it is time for a push, and reports whether it has waited; not beyond ctx.
func (e *Engine) rest(ctx context.Context) bool {
	early := time.Until(e.pushed.Add(e.target.PushInterval))
	if early <= 0 {
		return false
	}
	timeout := time.NewTimer(early)
	defer timeout.Stop()
	select {
	case <-timeout.C:
	case <-ctx.Done():
	}
	return true
}

func (e *Engine) takeWrites() []*writeCall {
	e.mu.Lock()
	defer e.mu.Unlock()
	batch := e.writes
	e.writes = nil
	return batch
}

// locatedError is an error about the branch, as it leaves the engine.
type locatedError struct {
	text  string
	cause error
}

func (e *locatedError) Error() string { return e.text }
func (e *locatedError) Unwrap() error { return e.cause }

// locate names the branch in an error. Whatever a server, a library or a file has put into the error's text, no terminal obeys it, and a
// credential that a server sends back is not in it.
func (e *Engine) locate(err error) error {
	text := fmt.Sprintf("%s branch %s: %v", e.target.name(), e.target.Branch, err)
	return &locatedError{text: printable.Text(e.target.redact(text), 2*wire.MaxTextBytes), cause: err}
}
