package odb

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/forge"
)

// chained is a snapshot with a chain of deltas behind it.
func chained(n int, byID, branches bool) []byte {
	_, objects := forge.Snapshot(map[string]string{"f": "content"})
	return forge.Pack(append(objects, forge.Chain(n, byID, branches)...)...)
}

// TestPack_eachDeltaOnce: what a chain of deltas costs grows with its length alone, in whatever order it comes.
func TestPack_eachDeltaOnce(t *testing.T) {
	const n = 2000
	for name, byID := range map[string]bool{"by id, the last one first": true, "by offset": false} {
		t.Run(name, func(t *testing.T) {
			p := newPackReader(t.Context(), bytes.NewReader(chained(n, byID, false)), everything)
			found, err := p.read()
			if err != nil {
				t.Fatal(err)
			}
			wire := int64(0)
			for _, e := range p.entries {
				wire += e.size
			}
			if patched := p.inflated - wire; patched != n*40_000 {
				t.Errorf("%s: deltas gave %d bytes, want %d", name, patched, n*40_000)
			}
			if p.held != 0 {
				t.Errorf("%s: %d bytes of bases are held in the end", name, p.held)
			}
			if len(found) < 1600 {
				t.Errorf("%s: %d objects", name, len(found))
			}
		})
	}
}

// endOf calls a function when all was read.
type endOf struct {
	io.Reader
	left int
	end  func()
}

func (r *endOf) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if r.left -= n; r.left <= 0 {
		r.end()
	}
	return n, err
}

// TestPack_canceled: a pack is read no further when the context has ended, on the wire or in the resolution of its deltas.
func TestPack_canceled(t *testing.T) {
	sent := chained(100, false, false)
	for _, left := range []int{1, len(sent)} {
		ctx, cancel := context.WithCancelCause(t.Context())
		over := errors.New("over")
		if _, err := ReadPack(ctx, &endOf{bytes.NewReader(sent), left, func() { cancel(over) }}, everything); !errors.Is(err, over) {
			t.Errorf("canceled after %d bytes: %v", left, err)
		}
	}
}

// TestPack_selection: files that nobody has asked for come along as far as there is room, and those that are too large as such.
func TestPack_selection(t *testing.T) {
	large := forge.Blob(strings.Repeat("x", MaxFileBytes+1))
	small, other := forge.Blob("small"), forge.Blob("other")
	delta := forge.Object{Kind: plumbing.OFSDeltaObject, Back: 1, Data: forge.Delta(5, 6, append(forge.CopyAll(5), forge.Insert("s")...)...)}
	sent := forge.Pack(large, other, small, delta)
	for name, test := range map[string]struct {
		sel  Selection
		want string
	}{
		"none":                 {Selection{}, ""},
		"all":                  {everything, "small other smalls "},
		"one, which is a base": {Selection{Wanted: map[Hash]bool{small.ID(): true}}, "small "},
		"one, which is a delta": {
			Selection{Wanted: map[Hash]bool{BlobHash([]byte("smalls")): true}}, "smalls ",
		},
		"the large one": {Selection{Wanted: map[Hash]bool{large.ID(): true}}, "large "},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := ReadPack(t.Context(), bytes.NewReader(sent), test.sel)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, o := range []forge.Object{small, other, forge.Blob("smalls")} {
				if _, ok := found[o.ID()]; ok {
					got += string(o.Data) + " "
				}
			}
			if o, ok := found[large.ID()]; ok && o.Kind == LargeBlob {
				got += "large "
			}
			if got != test.want || len(found) != len(bytes.Fields([]byte(test.want))) {
				t.Errorf("%s: got %q, want %q", name, got, test.want)
			}
		})
	}
}

func TestStore_makeRoom(t *testing.T) {
	s := NewStore()
	commit := forge.Commit(forge.AnyID)
	s.Put(commit.ID(), Object{commit.Kind, commit.Data})
	for i := range 60 {
		o := Object{plumbing.BlobObject, bytes.Repeat([]byte{byte(i)}, 1<<20)}
		s.Put(o.Hash(), o)
	}
	if s.MakeRoom(commit.ID()); len(s.objects) != 61 {
		t.Errorf("%d objects are left where there was room", len(s.objects))
	}
	for i := range 60 {
		o := Object{plumbing.BlobObject, bytes.Repeat([]byte{byte(i), 'x'}, 1<<19)}
		s.Put(o.Hash(), o)
	}
	if s.MakeRoom(commit.ID()); s.size > storeIdleBytes || !s.Has(commit.ID()) {
		t.Errorf("%d bytes are left", s.size)
	}
}
