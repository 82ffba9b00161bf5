package slowdigest

import "testing"

func TestSum(t *testing.T) {
	a := Sum([]byte("a"), []byte("text"))
	if a != Sum([]byte("a"), []byte("text")) {
		t.Error("the same text has two digests")
	}
	for name, other := range map[string][Size]byte{
		"another salt": Sum([]byte("b"), []byte("text")), "another text": Sum([]byte("a"), []byte("texts")), "another border": Sum([]byte("at"), []byte("ext")),
	} {
		t.Run(name, func(t *testing.T) {
			if a == other {
				t.Errorf("%s gives the same digest", name)
			}
		})
	}
	// The digest is in states and in names of Secrets: another one would be a change.
	if got, want := Text("a", []byte("text"), 10), "c37ea07407"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
