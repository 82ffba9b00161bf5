package odb

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/forge"
)

// FuzzPack: what is read from a pack has the ids that it is named by, and none of it is beyond its limit.
func FuzzPack(f *testing.F) {
	_, objects := forge.Snapshot(map[string]string{"f": "content", "g": "other"})
	f.Add(forge.Pack(objects...))
	f.Add(forge.Pack(append(objects, forge.Object{Kind: plumbing.OFSDeltaObject, Back: 1, Data: forge.Delta(5, 8, append(forge.CopyAll(5), forge.Insert("new")...)...)})...))
	f.Add(forge.Pack(forge.Object{Kind: plumbing.REFDeltaObject, Ref: BlobHash([]byte("base")), Data: forge.Delta(4, 1, forge.Insert("x")...)}, forge.Blob("base")))
	f.Add(forge.Pack(forge.Object{Kind: plumbing.REFDeltaObject, Ref: forge.AnyID, Data: forge.Delta(4, 1, forge.Insert("x")...)}))
	f.Add(forge.Pack(forge.Object{Kind: plumbing.BlobObject, Claim: 1 << 40, Data: []byte("x")}))
	f.Add([]byte("PACK\x00\x00\x00\x02\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		// The checksum at the end keeps most of what is changed from being looked at.
		if len(data) > 20 {
			data = forge.Sealed(data[:len(data)-20])
		}
		found, err := ReadPack(context.Background(), bytes.NewReader(data), everything)
		if err != nil && found != nil {
			t.Error("objects beside an error")
		}
		for id, o := range found {
			if o.Hash() != id || len(o.Data) > MaxTreeBytes {
				t.Errorf("%s has %d bytes of the id %s", id, len(o.Data), o.Hash())
			}
		}
	})
}

// FuzzDelta: a delta that is applied gives what go-git gives.
func FuzzDelta(f *testing.F) {
	f.Add([]byte("base!"), forge.Delta(5, 8, append(forge.CopyAll(5), forge.Insert("new")...)...))
	f.Add([]byte("base!"), forge.Delta(5, 1<<60, forge.CopyAll(5)...))
	f.Add([]byte("base!"), forge.Delta(5, 99, forge.CopyAll(99)...))
	f.Add([]byte("base!"), forge.Delta(5, 0, 0))
	f.Add([]byte("base!"), []byte("\x05\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"))
	f.Add([]byte(""), []byte("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"))
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		got, err := patchDelta(base, delta)
		if err != nil {
			if !errors.Is(err, errMalformedDelta) {
				t.Error(err)
			}
			return
		}
		if len(base) == 0 {
			return // go-git takes no empty base
		}
		if want, err := packfile.PatchDelta(base, delta); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%q, go-git has %q, %v", got, want, err)
		}
	})
}

// FuzzTree: a tree that is taken is encoded to the same bytes, and no name in it leads out of it.
func FuzzTree(f *testing.F) {
	f.Add(encodeTree([]Entry{{Name: "a", Mode: fileMode, Hash: forge.AnyID}, {Name: "b", Mode: DirectoryMode, Hash: forge.AnyID}}))
	f.Add(encodeTree([]Entry{{Name: "..", Mode: DirectoryMode, Hash: forge.AnyID}}))
	f.Add(encodeTree([]Entry{{Name: "a/b", Mode: fileMode, Hash: forge.AnyID}}))
	f.Add(encodeTree([]Entry{{Name: "a", Mode: "\x1b[", Hash: forge.AnyID}}))
	f.Add([]byte("100644 f\x00abc"))
	f.Fuzz(func(t *testing.T, data []byte) {
		tree, err := decodeTree(data)
		if err != nil {
			return
		}
		if !bytes.Equal(encodeTree(tree.Entries), data) {
			t.Error("the bytes have changed")
		}
		for _, entry := range tree.Entries {
			if entry.Name == "" || entry.Name == ".." || strings.ContainsAny(entry.Name, "/\x00") || strings.Contains(entry.Irregular(), "\x1b") {
				t.Errorf("taken: %+v", entry)
			}
			if _, found := tree.Find(entry.Name); !found {
				t.Errorf("%q is not found", entry.Name)
			}
		}
	})
}
