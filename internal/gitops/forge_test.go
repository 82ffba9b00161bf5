package gitops

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

// line is a pkt-line.
func line(format string, args ...any) string {
	text := fmt.Sprintf(format, args...)
	return fmt.Sprintf("%04x%s", len(text)+4, text)
}

// band is a packet of a side band.
func band(channel byte, text string) string { return line("%s", string(channel)+text) }

// advertise lists a branch main, and HEAD, with capabilities.
func advertise(tip Hash, capabilities string) string {
	return line("%s HEAD\x00%s\n", tip, capabilities) + line("%s refs/heads/main\n", tip) + "0000"
}

// raw is an object of a pack as it is written: deltas as well as what no Git would write.
type raw struct {
	kind   plumbing.ObjectType
	data   []byte
	claim  int  // the size in its header, where it is not that of data
	back   int  // of a delta by offset: how many objects ago its base was
	ref    Hash // of a delta by id
	zipped []byte
}

func complete(o object) raw { return raw{kind: o.kind, data: o.data} }

func blobOf(text string) object { return object{plumbing.BlobObject, []byte(text)} }

func treeOf(entries ...Entry) object { return object{plumbing.TreeObject, encodeTree(entries)} }

func commitOf(tree Hash) object {
	person := "A U Thor <author@example.com> 1700000000 +0000"
	return object{plumbing.CommitObject, fmt.Appendf(nil, "tree %s\nauthor %s\ncommitter %s\n\nwords\n", tree, person, person)}
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

// zipZeros is n zero bytes, and more, in a thousandth of the memory.
func zipZeros(n int, before string) []byte {
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

// forge writes a pack of any objects, with a checksum that is right.
func forge(objects ...raw) []byte { return forgeCount(len(objects), objects...) }

func forgeCount(count int, objects ...raw) []byte {
	var pack bytes.Buffer
	pack.WriteString("PACK")
	_ = binary.Write(&pack, binary.BigEndian, [2]uint32{2, uint32(count)})
	var offsets []int
	for _, o := range objects {
		offsets = append(offsets, pack.Len())
		size := len(o.data)
		if o.claim != 0 {
			size = o.claim
		}
		writeObjectHeader(&pack, o.kind, size)
		switch o.kind {
		case plumbing.OFSDeltaObject:
			back := 1
			if o.back > 0 && o.back < len(offsets) {
				back = offsets[len(offsets)-1] - offsets[len(offsets)-1-o.back]
			}
			pack.Write(distanceOf(back))
		case plumbing.REFDeltaObject:
			pack.Write(o.ref[:])
		}
		if o.zipped == nil {
			o.zipped = zip(o.data)
		}
		pack.Write(o.zipped)
	}
	return sealed(pack.Bytes())
}

// streamed writes a pack of these objects and n more without having it in memory.
func streamed(n int, each func(i int) raw, objects ...raw) speech {
	return func(w io.Writer) error {
		sum := sha1.New()
		out := bufio.NewWriter(io.MultiWriter(w, sum))
		begin := forgeCount(n+len(objects), objects...)
		_, _ = out.Write(begin[:len(begin)-sha1.Size])
		for i := range n {
			object := forge(each(i))
			if _, err := out.Write(object[12 : len(object)-sha1.Size]); err != nil {
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

// sealed adds the checksum.
func sealed(pack []byte) []byte {
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

// deltaTo makes a delta: the sizes that it claims, and its instructions.
func deltaTo(from, to int, instructions ...byte) []byte {
	var delta bytes.Buffer
	writeSize(&delta, from)
	writeSize(&delta, to)
	delta.Write(instructions)
	return delta.Bytes()
}

// insert is the instruction that adds up to 127 bytes.
func insert(text string) []byte { return append([]byte{byte(len(text))}, text...) }

// copyAll is the instruction that copies n bytes, under 64 KB, from the base's begin.
func copyAll(n int) []byte { return []byte{0x80 | 0x10 | 0x20, byte(n), byte(n >> 8)} }

// snapshot is a commit with files, which have no directories: the commit's id and its pack.
func snapshot(files map[string]string) (Hash, []raw) {
	var entries []Entry
	var objects []raw
	for _, name := range slices.Sorted(maps.Keys(files)) {
		blob := blobOf(files[name])
		objects = append(objects, complete(blob))
		entries = append(entries, Entry{Name: name, Mode: fileMode, Hash: blob.hash()})
	}
	return snapshotOf(entries, objects...)
}

// snapshotOf is a commit whose root has these entries.
func snapshotOf(entries []Entry, objects ...raw) (Hash, []raw) {
	root := treeOf(entries...)
	commit := commitOf(root.hash())
	return commit.hash(), append([]raw{complete(commit), complete(root)}, objects...)
}

// gzipOf makes gzip's form of zlib's.
func gzipOf(zipped []byte, size uint32) []byte {
	out := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}
	out = append(out, zipped[2:len(zipped)-4]...)
	out = binary.LittleEndian.AppendUint32(out, 0) // a checksum that nobody gets to
	return binary.LittleEndian.AppendUint32(out, size)
}
