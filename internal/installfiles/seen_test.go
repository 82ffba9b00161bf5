package installfiles

import (
	"slices"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

func blobs(texts ...string) Blobs {
	b := Blobs{}
	for i, text := range texts {
		b[AllNames[i]] = BlobOf([]byte(text))
	}
	return b
}

// TestSeen_Short: it is read back as what Text has, at about half the size.
func TestSeen_Short(t *testing.T) {
	seen, _ := ParseSeen(nil)
	all := blobs("mark", "install", "params", "encrypted", "overlays")
	seen = seen.See("a/b/prod", all, blobs("mark", "another form"), false)
	seen = seen.See("c/prod", blobs("mark", "install", "secret"), nil, true)
	seen = seen.Written("d/prod", all, all)
	long, err := seen.Text()
	if err != nil {
		t.Fatal(err)
	}
	short, err := seen.Short()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range [][]byte{long, short} {
		read, err := ParseSeen(text)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := read.Text(); string(again) != string(long) {
			t.Errorf("read back as %s, want %s", again, long)
		}
	}
	plain, _ := ParseSeen(nil)
	plain = plain.See("app.default.tap/prod", blobs("mark", "install", "params"), nil, false)
	if long, _ = plain.Text(); true {
		if short, _ = plain.Short(); len(short) > 140 || len(short) > len(long)*3/5 {
			t.Errorf("%d bytes for three files, %d as text: %s", len(short), len(long), short)
		}
	}
	for _, damaged := range []string{`{"a":{"x":"#AAAA"}}`, `{"a":{"i":1}}`, `[]`, `{"a":1}`} {
		if _, err := ParseSeen([]byte(damaged)); err == nil {
			t.Errorf("%s was read", damaged)
		}
	}
}

func TestSeen_Same(t *testing.T) {
	seen, _ := ParseSeen(nil)
	seen = seen.See("a", blobs("m", "i", "p"), nil, false)
	for _, row := range []struct {
		name string
		now  Blobs
		want bool
	}{
		{"the same", blobs("m", "i", "p"), true},
		{"another file", blobs("m", "i", "q"), false},
		{"one less", blobs("m", "i"), false},
		{"one more", blobs("m", "i", "p", "e"), false},
		{"none", nil, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := seen.Same("a", row.now); got != row.want {
				t.Errorf("got %t", got)
			}
		})
	}
	if !seen.Same("b", nil) || seen.Same("b", blobs("m")) {
		t.Error("of a directory that was never seen")
	}
}

// TestSeen_KeptAs: an encrypted file is kept as long as nobody has changed it and it is to
// say what it said.
func TestSeen_KeptAs(t *testing.T) {
	const name = repolayout.EncryptedParamsFile
	file, said, other := BlobOf([]byte("file")), Blobs{name: BlobOf([]byte("said"))}, Blobs{name: BlobOf([]byte("other"))}
	seen, _ := ParseSeen(nil)
	written := seen.Written("a", Blobs{name: file}, said)
	changed := written.With(Seen{}).See("a", Blobs{name: BlobOf([]byte("theirs"))}, nil, false)
	for _, row := range []struct {
		name         string
		seen         Seen
		wanted, said Blobs
		want         bool
	}{
		{"as it was written", written, said, said, true},
		{"it is to say something else", written, other, said, false},
		{"it said something else", written, said, other, false},
		{"nobody knows what it said", written, said, nil, false},
		{"somebody has changed it", changed, said, said, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			names, all := row.seen.KeptAs("a", row.wanted, row.said)
			if all != row.want || slices.Contains(names, name) != row.want {
				t.Errorf("got %v %t", names, all)
			}
		})
	}
	if text, _ := written.Text(); strings.Contains(string(text), said[name].String()) {
		t.Error("what is in the file could be guessed from what is remembered")
	}
}
