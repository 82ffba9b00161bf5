package gitops

import (
	"fmt"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/forge"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"
)

// TestAhead_manyNames: a few trees that name each other a great many times over cost what there is of them.
func TestAhead_manyNames(t *testing.T) {
	t.Parallel()
	e := newEngine(&target{})
	put := func(o forge.Object) Hash {
		e.store.Put(o.ID(), odb.Object{Kind: o.Kind, Data: o.Data})
		return o.ID()
	}
	blob := forge.Blob("missing")
	id := put(forge.Tree(forge.Entry{Name: "f", Mode: forge.FileMode, ID: blob.ID()}))
	for range 12 {
		var entries []forge.Entry
		for i := range 10 {
			entries = append(entries, forge.Entry{Name: fmt.Sprint("d", i), Mode: forge.DirectoryMode, ID: id})
		}
		id = put(forge.Tree(entries...))
	}
	e.at.Tip, e.rounds = put(forge.Commit(id)), 1
	got := e.aheadLocked([]want{{id: forge.AnyID, depth: 3, name: "f", ahead: true}})
	if len(got) != 1 || got[0] != blob.ID() {
		t.Errorf("candidates %v, want the one blob", got)
	}
}
