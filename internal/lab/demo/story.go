package demo

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"
)

// story prints stages, each with its seconds.
type story struct {
	mu     sync.Mutex
	out    io.Writer
	began  time.Time
	number int
}

func newStory(out io.Writer) *story { return &story{out: out, began: time.Now()} }

func (s *story) printf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, format, args...)
}

// stage runs one stage between its title and its seconds.
func (s *story) stage(title string, run func() error) error {
	s.number++
	s.printf("%d. %s\n", s.number, title)
	began := time.Now()
	err := run()
	seconds := time.Since(began).Seconds()
	if err != nil {
		s.printf("   failed after %.1f s\n\n", seconds)
		return fmt.Errorf("%s: %w", title, err)
	}
	s.printf("   %.1f s\n\n", seconds)
	return nil
}

func (s *story) end() {
	s.printf("All of it took %.1f s.\n", time.Since(s.began).Seconds())
}

// line prints a line of a stage.
func (s *story) line(text string) { s.printf("   %s\n", text) }

// detail is a writer for lines of a stage.
func (s *story) detail() io.Writer { return &lines{each: s.line} }

// lines calls each with every complete line that is written to it.
type lines struct {
	each func(string)
	rest []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, found := bytes.Cut(l.rest, []byte("\n"))
		if !found {
			return len(p), nil
		}
		l.each(string(bytes.TrimSuffix(line, []byte("\r"))))
		l.rest = rest
	}
}
