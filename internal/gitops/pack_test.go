package gitops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
)

// packOf is the pack that a forged server sends.
func packOf(t *testing.T, h *hostile) []byte {
	t.Helper()
	var answer bytes.Buffer
	if err := h.fetch(&answer); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimPrefix(answer.Bytes(), []byte(line("NAK\n")))
}

// TestPack_eachDeltaOnce: what a chain of deltas costs grows with its length alone, in whatever order it comes.
func TestPack_eachDeltaOnce(t *testing.T) {
	const n = 2000
	for name, byID := range map[string]bool{"by id, the last one first": true, "by offset": false} {
		p := newPackReader(t.Context(), bytes.NewReader(packOf(t, chain(n, byID, false))), everything)
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
	sent := packOf(t, chain(100, false, false))
	for _, left := range []int{1, len(sent)} {
		ctx, cancel := context.WithCancelCause(t.Context())
		over := errors.New("over")
		if _, err := readPack(ctx, &endOf{bytes.NewReader(sent), left, func() { cancel(over) }}, everything); !errors.Is(err, over) {
			t.Errorf("canceled after %d bytes: %v", left, err)
		}
	}
}

// TestPack_selection: files that nobody has asked for come along as far as there is room, and those that are too large as such.
func TestPack_selection(t *testing.T) {
	large := object{plumbing.BlobObject, bytes.Repeat([]byte("x"), maxFileBytes+1)}
	small, other := blobOf("small"), blobOf("other")
	delta := raw{kind: plumbing.OFSDeltaObject, back: 1, data: deltaTo(5, 6, append(copyAll(5), insert("s")...)...)}
	sent := forge(complete(large), complete(other), complete(small), delta)
	for name, test := range map[string]struct {
		sel  selection
		want string
	}{
		"none":                 {selection{}, ""},
		"all":                  {everything, "small other smalls "},
		"one, which is a base": {selection{wanted: map[Hash]bool{small.hash(): true}}, "small "},
		"one, which is a delta": {
			selection{wanted: map[Hash]bool{BlobHash([]byte("smalls")): true}}, "smalls ",
		},
		"the large one": {selection{wanted: map[Hash]bool{large.hash(): true}}, "large "},
	} {
		found, err := readPack(t.Context(), bytes.NewReader(sent), test.sel)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, o := range []object{small, other, blobOf("smalls")} {
			if _, ok := found[o.hash()]; ok {
				got += string(o.data) + " "
			}
		}
		if o, ok := found[large.hash()]; ok && o.kind == largeBlob {
			got += "large "
		}
		if got != test.want || len(found) != len(bytes.Fields([]byte(test.want))) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// TestAhead_manyNames: a few trees that name each other a great many times over cost what there is of them.
func TestAhead_manyNames(t *testing.T) {
	e := newEngine(&target{})
	put := func(o object) Hash {
		e.store.put(o.hash(), o)
		return o.hash()
	}
	blob := blobOf("missing")
	id := put(treeOf(Entry{Name: "f", Mode: fileMode, Hash: blob.hash()}))
	for range 12 {
		var entries []Entry
		for i := range 10 {
			entries = append(entries, Entry{Name: fmt.Sprint("d", i), Mode: directoryMode, Hash: id})
		}
		id = put(treeOf(entries...))
	}
	e.tip, e.rounds = put(commitOf(id)), 1
	got := e.ahead([]want{{id: anID, depth: 3, name: "f", ahead: true}})
	if len(got) != 1 || got[0] != blob.hash() {
		t.Errorf("candidates %v, want the one blob", got)
	}
}

func TestStore_makeRoom(t *testing.T) {
	s := newStore()
	commit := commitOf(anID)
	s.put(commit.hash(), commit)
	for i := range 60 {
		o := object{plumbing.BlobObject, bytes.Repeat([]byte{byte(i)}, 1<<20)}
		s.put(o.hash(), o)
	}
	if s.makeRoom(commit.hash()); len(s.objects) != 61 {
		t.Errorf("%d objects are left where there was room", len(s.objects))
	}
	for i := range 60 {
		o := object{plumbing.BlobObject, bytes.Repeat([]byte{byte(i), 'x'}, 1<<19)}
		s.put(o.hash(), o)
	}
	if s.makeRoom(commit.hash()); s.size > storeIdleBytes || !s.has(commit.hash()) {
		t.Errorf("%d bytes are left", s.size)
	}
}
