package health

import "github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"

// Failures are attempts that have failed with the same, one after the other. The first
// may be of before its cause was put right, so that a failure counts once a further
// attempt has failed as well. The zero value has none.
type Failures struct {
	last    *carvel.Attempt
	of      string
	further int
}

// Add notes a failed attempt, which may be noted already, and what it has failed with.
// It returns how many attempts have failed with the same after the first.
func (f *Failures) Add(attempt carvel.Attempt, of string) (further int) {
	switch {
	case f.last == nil || f.of != of:
		*f = Failures{last: &attempt, of: of}
	case *f.last != attempt:
		f.last = &attempt
		f.further++
	}
	return f.further
}

// Forget is for what does not fail any more.
func (f *Failures) Forget() { *f = Failures{} }
