package gitops

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/forge"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
)

// FuzzCommit: what is shown of a commit is fit for a terminal.
func FuzzCommit(f *testing.F) {
	f.Add(forge.Commit(forge.AnyID).Data)
	f.Add([]byte("tree \nauthor \x1b[31m <x> 99999999999999999999 +0000\n\nsubject\x07\n"))
	f.Add([]byte("author\n\n"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, data []byte) {
		o := odb.Object{Kind: plumbing.CommitObject, Data: data}
		last := describe(forge.AnyID, o)
		for _, text := range []string{last.Author, last.Email, last.Subject} {
			if printable.Line(text, maxWordsBytes) != text || strings.ContainsAny(text, "\x1b\n\r") {
				t.Errorf("%q", text)
			}
		}
		s := odb.NewStore()
		s.Put(o.Hash(), o)
		if root, err := s.Root(o.Hash()); err == nil && root.IsZero() && !bytes.Contains(data, []byte(strings.Repeat("0", 40))) {
			t.Error("a tree of no id")
		}
	})
}
