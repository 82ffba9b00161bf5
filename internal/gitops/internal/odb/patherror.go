package odb

import "fmt"

// PathError is a path that cannot be used.
type PathError struct {
	Path string
	// Reason continues the path in a sentence.
	Reason string
}

func (e *PathError) Error() string { return fmt.Sprintf("path %q %s", e.Path, e.Reason) }
