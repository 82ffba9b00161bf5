// Package redact takes secrets out of texts that leave the provider. A Redactor
// knows secrets by their values and finds them as they are, as URLs and quoted
// strings write them, and inside of base64, wherever in it they begin. It is
// pure: it reads nothing and asks nobody.
package redact

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
)

const (
	// Mark stands where a secret was.
	Mark = "(redacted)"
	// MinLength is the length in bytes of the shortest secret that is looked for:
	// a shorter one is in too many words.
	MinLength = 4
	// minWord is that of one which consists of small letters alone: none, test and
	// info are in sentences that have to be read, and are no secrets.
	minWord = 8
	// minLine is the length of the shortest line of a secret that is looked for by
	// itself.
	minLine = 16
)

// Redactor knows secrets. It is safe for concurrent use.
type Redactor struct {
	parent *Redactor       // whose secrets it knows too; may be nil
	more   func() []string // is asked before the first text; may be nil

	mu    sync.Mutex
	known map[string]struct{}
	made  *finder // nil: not made since the last change
}

// New makes a Redactor that knows nothing.
func New() *Redactor { return &Redactor{known: map[string]struct{}{}} }

// Child knows what r knows, and keeps to itself what it is told. more, which may
// be nil, are secrets to find out when there is a text.
func (r *Redactor) Child(more func() []string) *Redactor {
	c := &Redactor{parent: r, known: map[string]struct{}{}}
	if more != nil {
		c.more = sync.OnceValue(more)
	}
	return c
}

// Know adds secrets. Of one with several lines, such as a key in PEM, each long
// line is a secret as well.
func (r *Redactor) Know(secrets ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, secret := range secrets {
		r.add(secret)
		r.add(strings.TrimSpace(secret))
		if !strings.Contains(strings.TrimSpace(secret), "\n") {
			continue
		}
		for line := range strings.Lines(secret) {
			if line = strings.TrimSpace(line); len(line) >= minLine && !strings.HasPrefix(line, "-----") {
				r.add(line)
			}
		}
	}
}

func (r *Redactor) add(secret string) {
	if _, ok := r.known[secret]; ok || len(secret) < MinLength || len(secret) < minWord && isWord(secret) {
		return
	}
	r.known[secret] = struct{}{}
	r.made = nil
}

func isWord(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < 'a' || r > 'z' })
}

// Text is a text with Mark in the place of every secret.
func (r *Redactor) Text(text string) string {
	if r == nil || text == "" {
		return text
	}
	return r.finder().redact(text)
}

func (r *Redactor) finder() *finder {
	for at := r; at != nil; at = at.parent {
		if at.more != nil {
			at.Know(at.more()...)
		}
	}
	if r.parent == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.made == nil {
			r.made = newFinder(r.known)
		}
		return r.made
	}
	own := r.secrets()
	if len(own) == 0 {
		return r.parent.finder()
	}
	for above := r.parent; above != nil; above = above.parent {
		maps.Copy(own, above.secrets())
	}
	return newFinder(own)
}

func (r *Redactor) secrets() map[string]struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.known)
}

// finder looks for a set of secrets.
type finder struct {
	forms *strings.Replacer // of each secret, by Mark; nil: there is none
}

func newFinder(known map[string]struct{}) *finder {
	var all []string
	for secret := range known {
		all = append(all, forms(secret)...)
	}
	if len(all) == 0 {
		return &finder{}
	}
	slices.SortFunc(all, longestFirst) // one may be a part of another
	all = slices.Compact(all)
	pairs := make([]string, 0, 2*len(all))
	for _, form := range all {
		pairs = append(pairs, form, Mark)
	}
	return &finder{forms: strings.NewReplacer(pairs...)}
}

func longestFirst(a, b string) int {
	return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
}

func (f *finder) redact(text string) string {
	if f.forms == nil {
		return text
	}
	text = f.forms.Replace(text)
	text = encoded.ReplaceAllStringFunc(text, func(run string) string {
		if f.inBase64(run, nesting) {
			return Mark
		}
		return run
	})
	return escaped.ReplaceAllStringFunc(text, func(run string) string {
		if f.inURL(run, nesting) {
			return Mark
		}
		return run
	})
}

// holds reports whether a text shows a secret, also below so many layers of
// encoding.
func (f *finder) holds(text string, depth int) bool {
	if f.forms.Replace(text) != text {
		return true
	}
	return depth > 0 && (f.inURL(text, depth) ||
		slices.ContainsFunc(encoded.FindAllString(text, -1), func(run string) bool { return f.inBase64(run, depth) }))
}

type contextKey struct{}

// NewContext carries a Redactor.
func NewContext(ctx context.Context, r *Redactor) context.Context {
	return context.WithValue(ctx, contextKey{}, r)
}

// From is the Redactor that a context carries; without one, a Redactor that
// knows nothing.
func From(ctx context.Context) *Redactor {
	if r, ok := ctx.Value(contextKey{}).(*Redactor); ok {
		return r
	}
	return New()
}
