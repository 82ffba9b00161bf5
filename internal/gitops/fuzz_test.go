package gitops

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"golang.org/x/crypto/ssh"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
)

// FuzzPack: what is read from a pack has the ids that it is named by, and none of it is beyond its limit.
func FuzzPack(f *testing.F) {
	_, objects := snapshot(map[string]string{"f": "content", "g": "other"})
	f.Add(forge(objects...))
	f.Add(forge(append(objects, raw{kind: plumbing.OFSDeltaObject, back: 1, data: deltaTo(5, 8, append(copyAll(5), insert("new")...)...)})...))
	f.Add(forge(raw{kind: plumbing.REFDeltaObject, ref: BlobHash([]byte("base")), data: deltaTo(4, 1, insert("x")...)}, complete(blobOf("base"))))
	f.Add(forge(raw{kind: plumbing.REFDeltaObject, ref: anID, data: deltaTo(4, 1, insert("x")...)}))
	f.Add(forge(raw{kind: plumbing.BlobObject, claim: 1 << 40, data: []byte("x")}))
	f.Add([]byte("PACK\x00\x00\x00\x02\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		// The checksum at the end keeps most of what is changed from being looked at.
		if len(data) > 20 {
			data = sealed(data[:len(data)-20])
		}
		found, err := readPack(context.Background(), bytes.NewReader(data), everything)
		if err != nil && found != nil {
			t.Error("objects beside an error")
		}
		for id, o := range found {
			if o.hash() != id || len(o.data) > maxTreeBytes {
				t.Errorf("%s has %d bytes of the id %s", id, len(o.data), o.hash())
			}
		}
	})
}

// FuzzDelta: a delta that is applied gives what go-git gives.
func FuzzDelta(f *testing.F) {
	f.Add([]byte("base!"), deltaTo(5, 8, append(copyAll(5), insert("new")...)...))
	f.Add([]byte("base!"), deltaTo(5, 1<<60, copyAll(5)...))
	f.Add([]byte("base!"), deltaTo(5, 99, copyAll(99)...))
	f.Add([]byte("base!"), deltaTo(5, 0, 0))
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
	f.Add(encodeTree([]Entry{{Name: "a", Mode: fileMode, Hash: anID}, {Name: "b", Mode: directoryMode, Hash: anID}}))
	f.Add(encodeTree([]Entry{{Name: "..", Mode: directoryMode, Hash: anID}}))
	f.Add(encodeTree([]Entry{{Name: "a/b", Mode: fileMode, Hash: anID}}))
	f.Add(encodeTree([]Entry{{Name: "a", Mode: "\x1b[", Hash: anID}}))
	f.Add([]byte("100644 f\x00abc"))
	f.Fuzz(func(t *testing.T, data []byte) {
		tree, err := decodeTree(data)
		if err != nil {
			return
		}
		if !bytes.Equal(encodeTree(tree.entries), data) {
			t.Error("the bytes have changed")
		}
		for _, entry := range tree.entries {
			if entry.Name == "" || entry.Name == ".." || strings.ContainsAny(entry.Name, "/\x00") || strings.Contains(entry.kind(), "\x1b") {
				t.Errorf("taken: %+v", entry)
			}
			if _, found := tree.find(entry.Name); !found {
				t.Errorf("%q is not found", entry.Name)
			}
		}
	})
}

// FuzzCommit: what is shown of a commit is fit for a terminal.
func FuzzCommit(f *testing.F) {
	f.Add(commitOf(anID).data)
	f.Add([]byte("tree \nauthor \x1b[31m <x> 99999999999999999999 +0000\n\nsubject\x07\n"))
	f.Add([]byte("author\n\n"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, data []byte) {
		o := object{plumbing.CommitObject, data}
		last := o.lastChange(anID)
		for _, text := range []string{last.Author, last.Email, last.Subject} {
			if printable.Line(text, maxWordsBytes) != text || strings.ContainsAny(text, "\x1b\n\r") {
				t.Errorf("%q", text)
			}
		}
		s := newStore()
		s.put(o.hash(), o)
		if root, err := s.root(o.hash()); err == nil && root.IsZero() && !bytes.Contains(data, []byte(strings.Repeat("0", 40))) {
			t.Error("a tree of no id")
		}
	})
}

// FuzzPktLine: whatever an answer is, what is told of it is fit for a terminal, and a report is bounded.
func FuzzPktLine(f *testing.F) {
	f.Add([]byte(advertise(anID, "ofs-delta object-format=sha256")))
	f.Add([]byte(line("ERR %s", escapes)))
	f.Add([]byte(band(1, line("unpack ok\n")+line("ng refs/heads/main %s\n", escapes)+"0000")))
	f.Add([]byte("ffff0001"))
	f.Add([]byte("0004"))
	f.Fuzz(func(t *testing.T, data []byte) {
		x := &exchange{head: data}
		for _, text := range []string{x.refusal(), objectFormat(data)} {
			if printable.Text(text, maxTextBytes) != text {
				t.Errorf("%q", text)
			}
		}
		if err := packp.NewAdvRefs().Decode(bytes.NewReader(data)); err != nil {
			if text := (&protocolError{err}).Error(); printable.Line(text, maxLineBytes) != text {
				t.Errorf("%q", text)
			}
		}
		// The report's bytes are those outside of the packets with progress, however they come in pieces.
		want := int64(0)
		for s := pktline.NewScanner(bytes.NewReader(data)); s.Scan(); {
			if want += 4; len(s.Bytes()) > 0 && s.Bytes()[0] != progress {
				want += int64(len(s.Bytes()))
			} else if len(s.Bytes()) > 0 {
				want -= 4
			}
		}
		whole, pieces := &reportBody{}, &reportBody{}
		whole.count(data)
		for i := range data {
			pieces.count(data[i : i+1])
		}
		if whole.left != pieces.left || -whole.left < want {
			t.Errorf("counted %d at once and %d in pieces, want at least %d", -whole.left, -pieces.left, want)
		}
	})
}

// FuzzKnownHosts: a text that is read trusts no key that it does not hold.
func FuzzKnownHosts(f *testing.F) {
	_, signer := sshKeys()
	key := string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
	f.Add("git.example.com "+key, "git.example.com", "22")
	f.Add("[git.example.com]:2222,*.example.org,!a.example.org "+key, "git.example.com", "2222")
	f.Add("@revoked * "+key+"* "+key, "a", "22")
	f.Add("|1|c2FsdA==|c3Vt "+key, "a", "22")
	f.Add("\x00[ "+key, "[", "")
	f.Fuzz(func(t *testing.T, text, host, port string) {
		keys, err := parseKnownHosts(text, host, port)
		if err != nil {
			return
		}
		if keys.check(host, nil, signer.PublicKey()) == nil && !strings.Contains(text, strings.Fields(key)[1][:16]) {
			t.Error("a key is trusted that is not there")
		}
		if len(keys.trusted) > 0 && len(keys.algorithms()) == 0 {
			t.Error("a trusted key of no algorithm")
		}
	})
}
