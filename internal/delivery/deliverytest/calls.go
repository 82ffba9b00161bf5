// Package deliverytest stands in for a cluster and for a GitOps repository, so that the
// use cases and the resources above them are tested in milliseconds, with every call
// that they make counted and any of them failing.
//
// A Cluster keeps objects in memory and applies as an API server's field managers do, by
// the code that API servers use for it. It knows no schemas, no admission and no
// controllers, but for what a test hangs into it. A Repository keeps files and commits in
// memory, with the preconditions of the Git engine.
package deliverytest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// ErrFault is the error of a call that was made to fail.
var ErrFault = errors.New("the call was made to fail")

// Calls are those that were made to Clusters and a Repository, in their order. The same
// may be shared by several.
type Calls struct {
	mu   sync.Mutex
	made []string
	// Fails, if not nil, is asked before a call with its number, from 1 on, and its
	// text, such as "staging Apply secrets dev/app". An error is that of the call.
	Fails func(n int, call string) error
	// Lost is like Fails, and asked after the call has done its work: the answer is lost.
	Lost func(n int, call string) error
}

// begin notes a call. It fails if Fails says so; else end takes the call's own error,
// and answers with that or with what Lost says.
func (c *Calls) begin(format string, args ...any) (end func(error) error, err error) {
	call := fmt.Sprintf(format, args...)
	c.mu.Lock()
	c.made = append(c.made, call)
	n := len(c.made)
	fails, lost := c.Fails, c.Lost
	c.mu.Unlock()
	if fails != nil {
		if err := fails(n, call); err != nil {
			return nil, err
		}
	}
	return func(err error) error {
		if err != nil || lost == nil {
			return err
		}
		return lost(n, call)
	}, nil
}

// Way is how a call goes wrong.
type Way string

// The two ways.
const (
	Failing Way = "fails"   // it does nothing, and says so
	Losing  Way = "is_lost" // it does its work, and its answer is lost
)

// Break has one call go wrong, counted from 1 on and from now on, with ErrFault.
func (c *Calls) Break(number int, way Way) {
	fault := func(n int, _ string) error {
		if n == number {
			return ErrFault
		}
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made, c.Fails, c.Lost = nil, nil, nil
	if way == Failing {
		c.Fails = fault
	} else {
		c.Lost = fault
	}
}

// Mend has no call go wrong any more.
func (c *Calls) Mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Fails, c.Lost = nil, nil
}

// Made are the calls so far.
func (c *Calls) Made() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.made...)
}

// Writes reports whether a call may change something.
func Writes(call string) bool {
	verb := strings.Fields(call)[1]
	return slices.Contains([]string{"Apply", "ApplyNew", "ApplyOver", "Edit", "Delete", "Create"}, verb)
}

// Forget forgets the calls so far.
func (c *Calls) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made = nil
}
