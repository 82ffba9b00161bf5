package yamlsize

import (
	"errors"
	"strings"
	"sync"
	"testing"
)

func TestEnter(t *testing.T) {
	for name, c := range map[string]struct {
		text    string
		refused bool
	}{
		"a description":      {text: strings.Repeat("Prose, with a comma here: and there.\n", 40_000)},
		"as many as allowed": {text: strings.Repeat("-\n", Most)},
		"a list of nothing":  {strings.Repeat("-\n", Most+1), true},
		"in one line":        {"[" + strings.Repeat("a,", Most) + "]", true},
		"braces":             {strings.Repeat("{", Most+1), true},
		"aliases":            {strings.Repeat("*a ,", Most/2+1), true},
	} {
		t.Run(name, func(t *testing.T) {
			err := Read([]byte(c.text), func([]byte) error { return nil })
			if errors.As(err, new(Error)) != c.refused {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestEnter_together: of large texts one is read at a time, and an error lets the
// next one in.
func TestEnter_together(t *testing.T) {
	text := []byte(strings.Repeat("-\n", large+1))
	var inside, most int
	var mu sync.Mutex
	var group sync.WaitGroup
	errBroken := errors.New("broken")
	for range 20 {
		group.Go(func() {
			err := Read(text, func([]byte) error {
				mu.Lock()
				inside++
				most = max(most, inside)
				mu.Unlock()
				defer func() {
					mu.Lock()
					inside--
					mu.Unlock()
				}()
				return errBroken
			})
			if !errors.Is(err, errBroken) {
				t.Errorf("got %v", err)
			}
		})
	}
	group.Wait()
	if most != 1 {
		t.Errorf("%d were read at once", most)
	}
}
