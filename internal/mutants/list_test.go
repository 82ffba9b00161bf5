package main

import (
	"path/filepath"
	"testing"
)

// TestMutants: each mistake of the list can still be made.
func TestMutants(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		if _, _, err := m.mutated(root); err != nil {
			t.Errorf("%s: %v", m.what, err)
		}
	}
}
