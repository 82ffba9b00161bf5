package odb

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/forge"
)

// everything keeps all files of a pack.
var everything = Selection{Spare: maxKeptBytes}

func TestTree_roundTrip(t *testing.T) {
	var entries []Entry
	for i, mode := range []string{"100644", "100664", "040000", "40000", "120000", "160000", "100755"} {
		for j := range 10 {
			entries = append(entries, Entry{Mode: mode, Name: fmt.Sprintf("%d %d\t\xff", j, i), Hash: BlobHash([]byte{byte(i), byte(j)})})
		}
	}
	raw := encodeTree(entries)
	got, err := decodeTree(raw)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(encodeTree(got.Entries), raw) {
		t.Error("the bytes have changed")
	}
	for _, entry := range entries {
		if found, ok := got.Find(entry.Name); !ok || found != entry {
			t.Errorf("find %q: %v, %v", entry.Name, found, ok)
		}
	}
	for n := range raw {
		if part, err := decodeTree(raw[:n]); err == nil && !bytes.Equal(encodeTree(part.Entries), raw[:n]) {
			t.Errorf("the first %d bytes were taken for a tree", n)
		}
	}
}

func TestDelta(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	bytesOf := func(n int) []byte {
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		return data
	}
	for _, size := range []int{minDelta, 600, 70_000, 300_000} {
		base := bytesOf(size)
		for name, data := range map[string][]byte{
			"equal":       base,
			"appended":    append(bytes.Clone(base), bytesOf(40)...),
			"prepended":   append(bytesOf(40), base...),
			"in between":  append(append(bytes.Clone(base[:size/3]), bytesOf(200)...), base[size/3:]...),
			"cut":         append(bytes.Clone(base[:size/3]), base[size/3+40:]...),
			"overwritten": append(append(bytes.Clone(base[:size/2]), bytesOf(20)...), base[size/2+20:]...),
		} {
			if len(data) < minDelta {
				continue
			}
			delta := Packed{Object: Object{plumbing.TreeObject, data}, Base: base}.delta()
			if delta == nil {
				t.Errorf("%s, %d bytes: no delta", name, size)
				continue
			}
			got, err := packfile.PatchDelta(base, delta)
			if err != nil || !bytes.Equal(got, data) {
				t.Errorf("%s, %d bytes: not what it was (%v)", name, size, err)
			}
			if len(delta) > 300+size/1000 {
				t.Errorf("%s, %d bytes: a delta of %d bytes", name, size, len(delta))
			}
		}
		if delta := (Packed{Object: Object{plumbing.TreeObject, bytesOf(size)}, Base: base}).delta(); delta != nil {
			t.Errorf("%d other bytes have a delta", size)
		}
	}
}

func TestPack_roundTrip(t *testing.T) {
	var objects []Packed
	for n := range 40 {
		o := Object{plumbing.BlobObject, bytes.Repeat([]byte{byte(n)}, n*n*17)}
		objects = append(objects, Packed{Object: o, ID: o.Hash()})
	}
	pack := WritePack(objects, true)
	got, err := ReadPack(t.Context(), bytes.NewReader(pack), everything)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		if back, found := got[o.ID]; !found || back.Kind != o.Kind || !bytes.Equal(back.Data, o.Data) {
			t.Errorf("object of %d bytes: found %v", len(o.Data), found)
		}
	}
	for n := 0; n < len(pack); n += 61 {
		if _, err := ReadPack(t.Context(), bytes.NewReader(pack[:n]), everything); err == nil {
			t.Fatalf("a pack cut at %d of %d bytes was taken", n, len(pack))
		}
	}
}

func TestStore_shrink(t *testing.T) {
	s := NewStore()
	put := func(o Object) Hash {
		id := o.Hash()
		s.Put(id, o)
		return id
	}
	blob := put(Object{plumbing.BlobObject, []byte("kept")})
	lost := put(Object{plumbing.BlobObject, []byte("lost")})
	inner := put(Object{plumbing.TreeObject, encodeTree([]Entry{{"f", fileMode, blob}, {"unknown", fileMode, BlobHash([]byte("?"))}})})
	root := put(Object{plumbing.TreeObject, encodeTree([]Entry{{"d", DirectoryMode, inner}})})
	commit := put(Object{plumbing.CommitObject, forge.Commit(root).Data})
	s.Shrink(commit)
	if !s.Has(lost) {
		t.Error("objects were dropped below the limit")
	}
	s.limit = 1
	s.Shrink(commit)
	for name, id := range map[string]Hash{"blob": blob, "tree": inner, "root": root, "commit": commit} {
		t.Run(name, func(t *testing.T) {
			if !s.Has(id) {
				t.Errorf("the %s was dropped", name)
			}
		})
	}
	if s.Has(lost) {
		t.Error("what the commit does not reach was kept")
	}
}

func TestDirectory_sortsAsGitDoes(t *testing.T) {
	n := &Directory{children: map[string]*Directory{}}
	s := NewStore()
	for _, path := range [][]string{{"a0"}, {"a", "x"}, {"a-"}, {"a.b"}, {"b"}, {"A"}} {
		if err := n.Set(s, path, BlobHash(nil)); err != nil {
			t.Fatal(err)
		}
	}
	n.Write(s, func(Packed) {})
	var names []string
	for _, entry := range n.entries {
		names = append(names, entry.Name)
	}
	if got := fmt.Sprint(names); got != "[A a- a.b a a0 b]" {
		t.Errorf("sorted %s", got)
	}
}

func TestPack_deltaBeforeItsBase(t *testing.T) {
	base := Object{plumbing.BlobObject, bytes.Repeat([]byte("base "), 500)}
	changed := Object{plumbing.BlobObject, append(bytes.Clone(base.Data), "and more"...)}
	pack := WritePack([]Packed{
		{Object: changed, ID: changed.Hash(), BaseID: base.Hash(), Base: base.Data},
		{Object: base, ID: base.Hash()},
	}, true)
	got, err := ReadPack(t.Context(), bytes.NewReader(pack), everything)
	if err != nil || !bytes.Equal(got[changed.Hash()].Data, changed.Data) {
		t.Errorf("got %d objects, %v", len(got), err)
	}
	pack = WritePack([]Packed{{Object: changed, ID: changed.Hash(), BaseID: base.Hash(), Base: base.Data}}, true)
	if _, err := ReadPack(t.Context(), bytes.NewReader(pack), everything); err == nil {
		t.Error("a delta without a base was taken")
	}
}

// TestDirectory_fileWhereADirectoryWasEmptied: within one batch, one caller may empty a directory and the next write a file in its place.
func TestDirectory_fileWhereADirectoryWasEmptied(t *testing.T) {
	s := NewStore()
	root := &Directory{children: map[string]*Directory{}}
	blob := BlobHash([]byte("x"))
	do := func(path string, id Hash, want string) {
		t.Helper()
		segments := strings.Split(path, "/")
		if _, err := root.File(s, path, segments); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if err := root.Set(s, segments, id); err != nil {
			t.Fatal(err)
		}
		root.Write(s, func(o Packed) { s.Put(o.ID, o.Object) })
		var got []string
		for _, entry := range root.entries {
			got = append(got, entry.Mode+" "+entry.Name)
		}
		if fmt.Sprint(got) != want {
			t.Errorf("after %s: %v, want %s", path, got, want)
		}
	}
	do("a/b/c", blob, "[40000 a]")
	do("a/b/c", Hash{}, "[]")
	do("a/b", blob, "[40000 a]")
	do("a/b", Hash{}, "[]")
	do("a", blob, "[100644 a]")
	if _, err := root.File(s, "a/b", []string{"a", "b"}); err == nil {
		t.Error("a file was taken for a directory")
	}
}
