package odb

import (
	"bytes"
	"compress/zlib"
	"crypto"
	"encoding/binary"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/hash"
)

// Packed is an object to push. Base, if set, is an older version that the server has.
type Packed struct {
	Object
	ID     Hash
	BaseID Hash
	Base   []byte
}

// deflaters are kept because one takes longer to make than a small pack to write.
var deflaters = sync.Pool{New: func() any { return zlib.NewWriter(nil) }}

// WritePack encodes exactly these objects. With thin, a large object that has a base goes as REF_DELTA against it.
func WritePack(objects []Packed, thin bool) []byte {
	var pack bytes.Buffer
	pack.WriteString("PACK")
	_ = binary.Write(&pack, binary.BigEndian, [2]uint32{2, uint32(len(objects))})
	deflate, _ := deflaters.Get().(*zlib.Writer)
	defer deflaters.Put(deflate)
	for _, o := range objects {
		data := o.Data
		if delta := o.delta(); thin && delta != nil {
			data = delta
			writeObjectHeader(&pack, plumbing.REFDeltaObject, len(data))
			pack.Write(o.BaseID[:])
		} else {
			writeObjectHeader(&pack, o.Kind, len(data))
		}
		deflate.Reset(&pack)
		_, _ = deflate.Write(data)
		_ = deflate.Close()
	}
	sum := hash.New(crypto.SHA1)
	sum.Write(pack.Bytes())
	return sum.Sum(pack.Bytes())
}

func writeObjectHeader(pack *bytes.Buffer, kind plumbing.ObjectType, size int) {
	first := byte(kind)<<4 | byte(size&0x0f)
	for size >>= 4; size > 0; size >>= 7 {
		pack.WriteByte(first | 0x80)
		first = byte(size & 0x7f)
	}
	pack.WriteByte(first)
}

// minDelta in bytes: a smaller object goes whole.
const minDelta = 512

// delta keeps what the object has in common with its base at the front and at the end. Nil: that does not pay.
func (o Packed) delta() []byte {
	base, data := o.Base, o.Data
	if len(base) < minDelta || len(data) < minDelta {
		return nil
	}
	limit := min(len(base), len(data))
	front := 0
	for front < limit && base[front] == data[front] {
		front++
	}
	end := 0
	for end < limit-front && base[len(base)-1-end] == data[len(data)-1-end] {
		end++
	}
	middle := data[front : len(data)-end]
	if len(middle) > len(data)/2 {
		return nil
	}
	var delta bytes.Buffer
	writeSize(&delta, len(base))
	writeSize(&delta, len(data))
	writeCopy(&delta, 0, front)
	for len(middle) > 0 {
		n := min(len(middle), 0x7f)
		delta.WriteByte(byte(n))
		delta.Write(middle[:n])
		middle = middle[n:]
	}
	writeCopy(&delta, len(base)-end, end)
	return delta.Bytes()
}

func writeSize(delta *bytes.Buffer, size int) {
	for ; size >= 0x80; size >>= 7 {
		delta.WriteByte(byte(size) | 0x80)
	}
	delta.WriteByte(byte(size))
}

// writeCopy emits copy instructions of at most 0xffff bytes, which every decoder takes.
func writeCopy(delta *bytes.Buffer, offset, size int) {
	for size > 0 {
		n := min(size, 0xffff)
		op := delta.Len()
		delta.WriteByte(0x80)
		bits := byte(0x80)
		for i := range 4 {
			if b := byte(offset >> (8 * i)); b != 0 {
				delta.WriteByte(b)
				bits |= 1 << i
			}
		}
		for i := range 2 {
			if b := byte(n >> (8 * i)); b != 0 {
				delta.WriteByte(b)
				bits |= 0x10 << i
			}
		}
		delta.Bytes()[op] = bits
		offset, size = offset+n, size-n
	}
}
