package odb

import (
	"bytes"
	"errors"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// EmptyTree is the id of the tree without entries, which no server needs to send.
var EmptyTree = plumbing.ComputeHash(plumbing.TreeObject, nil)

// DirectoryMode is the mode of a directory's entry.
const DirectoryMode = "40000"

const fileMode = "100644"

var errMalformedTree = errors.New("malformed tree object")

// Tree is a decoded tree object. Modes and names are kept as they are written, so that encode gives the same bytes again:
// decoding and encoding through go-git's object.Tree would change entries that are somebody else's, 100664 for one.
type Tree struct {
	Entries []Entry
	index   map[string]int // by name; built for large trees alone
}

func decodeTree(raw []byte) (*Tree, error) {
	text := string(raw) // names and modes are slices of this one copy
	t := &Tree{Entries: make([]Entry, 0, len(raw)/40)}
	for at := 0; at < len(text); {
		space := strings.IndexByte(text[at:], ' ')
		if space < 1 {
			return nil, errMalformedTree
		}
		nul := strings.IndexByte(text[at+space:], 0)
		end := at + space + nul + 1
		if nul < 2 || end+len(Hash{}) > len(text) {
			return nil, errMalformedTree
		}
		entry := Entry{Mode: text[at : at+space], Name: text[at+space+1 : end-1]}
		if !entry.wellFormed() {
			return nil, errMalformedTree
		}
		copy(entry.Hash[:], text[end:])
		t.Entries = append(t.Entries, entry)
		at = end + len(Hash{})
	}
	if len(t.Entries) > 32 {
		t.index = make(map[string]int, len(t.Entries))
		for i, entry := range t.Entries {
			t.index[entry.Name] = i
		}
	}
	return t, nil
}

// wellFormed tells what can be an entry of a directory. A name that leads elsewhere could not be told from a path.
func (e Entry) wellFormed() bool {
	if len(e.Mode) > 6 || strings.Trim(e.Mode, "01234567") != "" {
		return false
	}
	return e.Name != "" && e.Name != "." && e.Name != ".." && !strings.Contains(e.Name, "/")
}

func encodeTree(entries []Entry) []byte {
	var raw bytes.Buffer
	for _, entry := range entries {
		raw.WriteString(entry.Mode)
		raw.WriteByte(' ')
		raw.WriteString(entry.Name)
		raw.WriteByte(0)
		raw.Write(entry.Hash[:])
	}
	return raw.Bytes()
}

// Find returns the entry of that name.
func (t *Tree) Find(name string) (Entry, bool) {
	if t.index != nil {
		i, found := t.index[name]
		if !found {
			return Entry{}, false
		}
		return t.Entries[i], true
	}
	if i := position(t.Entries, name); i >= 0 {
		return t.Entries[i], true
	}
	return Entry{}, false
}

// position of a name, or -1.
func position(entries []Entry, name string) int {
	for i := range entries {
		if entries[i].Name == name {
			return i
		}
	}
	return -1
}

// sortsBefore is Git's order, in which a directory's name counts as if it ended in a slash.
func sortsBefore(a, b Entry) bool {
	return sortName(a) < sortName(b)
}

func sortName(e Entry) string {
	if e.Dir() {
		return e.Name + "/"
	}
	return e.Name
}

// Irregular names what is not a regular file, for messages. Empty: a regular file.
func (e Entry) Irregular() string {
	switch {
	case e.Dir():
		return "a directory"
	case strings.HasPrefix(e.Mode, "100"):
		return ""
	case e.Mode == "120000":
		return "a symbolic link"
	case e.Mode == "160000":
		return "a submodule"
	}
	return "an entry of mode " + e.Mode
}
