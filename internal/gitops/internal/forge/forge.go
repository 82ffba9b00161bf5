// Package forge writes packs and lines of the Git protocol for tests: sound ones, and what no Git would write. It shares no code with
// what it is to test.
package forge

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
)

// AnyID is of an object that is nowhere else.
var AnyID = plumbing.ComputeHash(plumbing.BlobObject, []byte("anything"))

// Escapes are what a terminal would obey.
const Escapes = "\x1b]0;owned\x07\x1b[31mred\x9b31m\u202etxt\r\x00\x08"

// Line is a pkt-line.
func Line(format string, args ...any) string {
	text := fmt.Sprintf(format, args...)
	return fmt.Sprintf("%04x%s", len(text)+4, text)
}

// Band is a packet of a side band.
func Band(channel byte, text string) string { return Line("%s", string(channel)+text) }

// Advertise lists a branch main, and HEAD, with capabilities.
func Advertise(tip plumbing.Hash, capabilities string) string {
	return Line("%s HEAD\x00%s\n", tip, capabilities) + Line("%s refs/heads/main\n", tip) + "0000"
}

// Object is an object of a pack as it is written: deltas as well as what no Git would write.
type Object struct {
	Kind   plumbing.ObjectType
	Data   []byte
	Claim  int           // the size in its header, if it is not that of data
	Back   int           // of a delta by offset: how many objects ago its base was
	Ref    plumbing.Hash // of a delta by id
	Zipped []byte        // in place of data
}

// ID that the object has when it is what it claims to be. Deltas have none.
func (o Object) ID() plumbing.Hash { return plumbing.ComputeHash(o.Kind, o.Data) }

// Blob is the object of a text.
func Blob(text string) Object { return Object{Kind: plumbing.BlobObject, Data: []byte(text)} }

// Entry is a line of a tree, with a mode as Git writes it.
type Entry struct {
	Name, Mode string
	ID         plumbing.Hash
}

// Tree has its entries in the order in which they are given.
func Tree(entries ...Entry) Object {
	var data []byte
	for _, e := range entries {
		data = append(data, e.Mode+" "+e.Name+"\x00"...)
		data = append(data, e.ID[:]...)
	}
	return Object{Kind: plumbing.TreeObject, Data: data}
}

// Modes of entries.
const (
	FileMode      = "100644"
	DirectoryMode = "40000"
)

// Commit is a commit of a tree, without parents.
func Commit(tree plumbing.Hash) Object {
	person := "A U Thor <author@example.com> 1700000000 +0000"
	return Object{Kind: plumbing.CommitObject, Data: fmt.Appendf(nil, "tree %s\nauthor %s\ncommitter %s\n\nwords\n", tree, person, person)}
}

// storers write zlib's form without compression, which is all that most objects need.
var storers = sync.Pool{New: func() any {
	w, _ := zlib.NewWriterLevel(nil, zlib.NoCompression)
	return w
}}

func zip(data []byte) []byte {
	var b bytes.Buffer
	w := storers.Get().(*zlib.Writer)
	defer storers.Put(w)
	w.Reset(&b)
	_, _ = w.Write(data)
	_ = w.Close()
	return b.Bytes()
}

// ZipZeros is n zero bytes, and more, in a thousandth of the memory.
func ZipZeros(n int, before string) []byte {
	var b bytes.Buffer
	w, _ := zlib.NewWriterLevel(&b, zlib.BestCompression)
	_, _ = io.WriteString(w, before)
	zeros := make([]byte, 1<<20)
	for n -= len(before); n > 0; n -= len(zeros) {
		_, _ = w.Write(zeros[:min(n, len(zeros))])
	}
	_ = w.Close()
	return b.Bytes()
}

// Pack writes a pack of any objects, with a checksum that is right.
func Pack(objects ...Object) []byte { return PackOf(len(objects), objects...) }

// PackOf claims to have another number of objects.
func PackOf(count int, objects ...Object) []byte {
	var pack bytes.Buffer
	pack.WriteString("PACK")
	_ = binary.Write(&pack, binary.BigEndian, [2]uint32{2, uint32(count)})
	var offsets []int
	for _, o := range objects {
		offsets = append(offsets, pack.Len())
		size := len(o.Data)
		if o.Claim != 0 {
			size = o.Claim
		}
		writeHeader(&pack, o.Kind, size)
		switch o.Kind {
		case plumbing.OFSDeltaObject:
			back := 1
			if o.Back > 0 && o.Back < len(offsets) {
				back = offsets[len(offsets)-1] - offsets[len(offsets)-1-o.Back]
			}
			pack.Write(distanceOf(back))
		case plumbing.REFDeltaObject:
			pack.Write(o.Ref[:])
		}
		if o.Zipped == nil {
			o.Zipped = zip(o.Data)
		}
		pack.Write(o.Zipped)
	}
	return Sealed(pack.Bytes())
}

// Stream writes a pack of these objects and n more without having it in memory.
func Stream(n int, each func(i int) Object, objects ...Object) func(io.Writer) error {
	return func(w io.Writer) error {
		sum := sha1.New()
		out := bufio.NewWriter(io.MultiWriter(w, sum))
		begin := PackOf(n+len(objects), objects...)
		_, _ = out.Write(begin[:len(begin)-sha1.Size])
		for i := range n {
			one := Pack(each(i))
			if _, err := out.Write(one[12 : len(one)-sha1.Size]); err != nil {
				return err
			}
		}
		if err := out.Flush(); err != nil {
			return err
		}
		_, err := w.Write(sum.Sum(nil))
		return err
	}
}

func writeHeader(pack *bytes.Buffer, kind plumbing.ObjectType, size int) {
	first := byte(kind)<<4 | byte(size&0x0f)
	rest := binary.AppendUvarint(nil, uint64(size>>4)) //nolint:gosec // sizes are positive
	if size>>4 == 0 {
		rest = nil
	} else {
		first |= 0x80
	}
	pack.WriteByte(first)
	pack.Write(rest)
}

// Sealed adds the checksum.
func Sealed(pack []byte) []byte {
	sum := sha1.Sum(pack)
	return append(slices.Clone(pack), sum[:]...)
}

func distanceOf(n int) []byte {
	out := []byte{byte(n & 0x7f)}
	for n >>= 7; n > 0; n >>= 7 {
		n--
		out = append([]byte{byte(n&0x7f) | 0x80}, out...)
	}
	return out
}

// Delta makes a delta: the sizes that it claims, and its instructions.
func Delta(from, to int, instructions ...byte) []byte {
	delta := binary.AppendUvarint(nil, uint64(from)) //nolint:gosec // sizes are positive
	delta = binary.AppendUvarint(delta, uint64(to))  //nolint:gosec // sizes are positive
	return append(delta, instructions...)
}

// Insert is the instruction that adds up to 127 bytes.
func Insert(text string) []byte { return append([]byte{byte(len(text))}, text...) }

// CopyAll is the instruction that copies n bytes, under 64 KB, from the base's begin.
func CopyAll(n int) []byte { return []byte{0x80 | 0x10 | 0x20, byte(n), byte(n >> 8)} }

// Snapshot is a commit with files, which have no directories: the commit's id and its pack.
func Snapshot(files map[string]string) (plumbing.Hash, []Object) {
	var entries []Entry
	var objects []Object
	for _, name := range slices.Sorted(maps.Keys(files)) {
		blob := Blob(files[name])
		objects = append(objects, blob)
		entries = append(entries, Entry{Name: name, Mode: FileMode, ID: blob.ID()})
	}
	return SnapshotOf(entries, objects...)
}

// SnapshotOf is a commit whose root has these entries.
func SnapshotOf(entries []Entry, objects ...Object) (plumbing.Hash, []Object) {
	root := Tree(entries...)
	commit := Commit(root.ID())
	return commit.ID(), append([]Object{commit, root}, objects...)
}

// GzipOf makes gzip's form of zlib's.
func GzipOf(zipped []byte, size uint32) []byte {
	out := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}
	out = append(out, zipped[2:len(zipped)-4]...)
	out = binary.LittleEndian.AppendUint32(out, 0) // a checksum that nobody gets to
	return binary.LittleEndian.AppendUint32(out, size)
}

// Chain is a base with a chain of deltas. Those by id come in the reverse order; with a branch there are three upon each.
func Chain(n int, byID, branches bool) []Object {
	content := bytes.Repeat([]byte("x"), 40_000)
	deltas := []Object{{Kind: plumbing.BlobObject, Data: content}}
	id := Object{Kind: plumbing.BlobObject, Data: content}.ID()
	step := 1
	for i := range n {
		text := fmt.Sprintf("%07d", i)
		size := len(content)
		next := Object{Kind: plumbing.OFSDeltaObject, Back: step, Data: Delta(size, 7+size-7, append(Insert(text), CopyAll(size-7)...)...)}
		base := id
		content = append([]byte(text), content[:size-7]...)
		if byID {
			id = Object{Kind: plumbing.BlobObject, Data: content}.ID()
			next.Kind, next.Ref = plumbing.REFDeltaObject, base
		}
		deltas = append(deltas, next)
		if step = 1; branches {
			for j := range 2 {
				deltas = append(deltas, Object{Kind: plumbing.OFSDeltaObject, Back: 1 + j, Data: Delta(size, 9, Insert(fmt.Sprintf("%08d%d", i, j))...)})
			}
			step = 3
		}
	}
	if byID {
		slices.Reverse(deltas)
	}
	return deltas
}
