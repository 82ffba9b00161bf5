package odb

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
)

// spoolChunk in bytes: the spool grows without being copied.
const spoolChunk = 64 << 10

// spool is the part of a pack that is needed again, as it was sent.
type spool struct {
	chunks [][]byte
	size   int64
}

func (s *spool) write(p []byte) {
	for len(p) > 0 {
		if s.size%spoolChunk == 0 {
			var chunk []byte
			if len(s.chunks) > 0 {
				chunk = make([]byte, 0, spoolChunk)
			}
			s.chunks = append(s.chunks, chunk)
		}
		last := len(s.chunks) - 1
		n := min(len(p), spoolChunk-int(s.size%spoolChunk))
		s.chunks[last] = append(s.chunks[last], p[:n]...)
		s.size += int64(n)
		p = p[n:]
	}
}

func (s *spool) check() error {
	if s.size > maxSpoolBytes {
		return spoolBound.Exceeded()
	}
	return nil
}

// spoolReader reads from a place in the spool.
type spoolReader struct {
	spool *spool
	at    int64
}

func (r *spoolReader) rest() []byte {
	if r.at >= r.spool.size {
		return nil
	}
	return r.spool.chunks[r.at/spoolChunk][r.at%spoolChunk:]
}

func (r *spoolReader) Read(p []byte) (int, error) {
	n := copy(p, r.rest())
	if r.at += int64(n); n == 0 && len(p) > 0 {
		return 0, io.ErrUnexpectedEOF
	}
	return n, nil
}

func (r *spoolReader) ReadByte() (byte, error) {
	rest := r.rest()
	if len(rest) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	r.at++
	return rest[0], nil
}

// byteSource is what the inflater reads no byte too many of.
type byteSource interface {
	io.Reader
	io.ByteReader
}

// inflater inflates one content after the other with the same buffers.
type inflater struct {
	zlib   io.ReadCloser
	buffer bytes.Buffer
}

func (i *inflater) reset(from byteSource) error {
	if i.zlib == nil {
		var err error
		i.zlib, err = zlib.NewReader(from)
		return err
	}
	return i.zlib.(zlib.Resetter).Reset(from, nil)
}

var errWrongSize = errors.New("its content is not of the size that it claims")

// inflate returns a content of that size. It holds until the next call.
func (i *inflater) inflate(from byteSource, size int64) ([]byte, error) {
	i.buffer.Reset()
	if err := i.stream(from, size, &i.buffer); err != nil {
		return nil, err
	}
	return i.buffer.Bytes(), nil
}

// stream copies a content of that size.
func (i *inflater) stream(from byteSource, size int64, to io.Writer) error {
	err := i.reset(from)
	if err == nil {
		var n int64
		n, err = io.Copy(to, io.LimitReader(i.zlib, size+1))
		if err == nil && n != size {
			err = errWrongSize
		}
	}
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	return nil
}
