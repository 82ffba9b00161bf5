package odb

import (
	"bytes"
	"context"
	"crypto"
	"encoding/binary"
	"errors"
	"fmt"
	gohash "hash"
	"io"
	"sort"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/hash"
)

// Selection is which files of a pack are kept. Trees, commits and tags always are.
type Selection struct {
	Wanted map[Hash]bool // to be kept whatever they have
	Spare  int           // bytes of others that may be taken along
}

// packEntry is an object of a pack as it came.
type packEntry struct {
	offset  int64 // in the pack
	size    int64 // inflated, as its header says and its content has shown; of a delta, not of its result
	spooled int64 // where it is in the spool; -1: it is not
	id      Hash  // of a delta by id, its base's
	kind    plumbing.ObjectType
	base    int32 // of a delta by offset; else none
	child   int32 // the first delta upon this one
	next    int32 // the next delta upon the same base
	weight  int32 // this one and the deltas below it
}

const none = -1

// packReader reads a pack in two passes: the first takes it off the wire, the second resolves the deltas, each after its base, from the
// part of the pack that was kept. What a header says of a size is believed when the content has shown it.
type packReader struct {
	ctx    context.Context
	source *packSource
	spool  spool
	inflater
	sel Selection

	entries []packEntry
	byID    map[Hash]int32 // the first delta upon a base that is named by its id
	objects map[Hash]Object

	kept, inflated, held int64
	missing              int  // wanted files that have not come yet
	omitted              bool // a delta was left out, because it or its base is too large
}

// ReadPack decodes a pack. A pack that is cut off is an error; ids are computed here, so the content is what its id says. A wanted file
// that is too large comes as a LargeBlob.
func ReadPack(ctx context.Context, r io.Reader, sel Selection) (map[Hash]Object, error) {
	return newPackReader(ctx, r, sel).read()
}

func newPackReader(ctx context.Context, r io.Reader, sel Selection) *packReader {
	p := &packReader{
		ctx: ctx, source: newPackSource(ctx, r), sel: sel, missing: len(sel.Wanted),
		byID: map[Hash]int32{}, objects: map[Hash]Object{},
	}
	p.source.spool = &p.spool
	return p
}

func (p *packReader) read() (map[Hash]Object, error) {
	count, err := p.source.header()
	if err != nil {
		return nil, whole(err)
	}
	if count > MaxPackObjects {
		return nil, tooManyObjects()
	}
	for range count {
		if err := p.next(); err != nil {
			return nil, whole(err)
		}
	}
	if err := p.source.trailer(); err != nil {
		return nil, whole(err)
	}
	p.source = nil
	if err := p.resolve(); err != nil {
		return nil, err
	}
	for id := range p.sel.Wanted {
		if _, found := p.objects[id]; !found && p.omitted {
			return nil, FileTooLarge("")
		}
	}
	return p.objects, nil
}

// whole: a pack that ends is cut off.
func whole(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// next reads one object.
func (p *packReader) next() error {
	e := packEntry{offset: p.source.offset(), base: none, child: none, next: none, spooled: none, weight: 1}
	var err error
	if e.kind, e.size, err = p.source.objectHeader(); err != nil {
		return err
	}
	at := int32(len(p.entries)) //nolint:gosec // at most MaxPackObjects
	switch e.kind {
	case plumbing.OFSDeltaObject:
		if e.base, err = p.offsetBase(e.offset); err != nil {
			return err
		}
		e.next, p.entries[e.base].child = p.entries[e.base].child, at
	case plumbing.REFDeltaObject:
		if err := p.source.full(e.id[:]); err != nil {
			return err
		}
		e.next = none
		if first, found := p.byID[e.id]; found {
			e.next = first
		}
		p.byID[e.id] = at
	case plumbing.CommitObject, plumbing.TreeObject, plumbing.TagObject, plumbing.BlobObject:
	default:
		return fmt.Errorf("pack: object of the unknown kind %d", e.kind)
	}
	if p.inflated += e.size; p.inflated > maxInflatedBytes {
		return inflatedBound.Exceeded()
	}
	if err := p.content(&e); err != nil {
		return err
	}
	p.entries = append(p.entries, e)
	return nil
}

// offsetBase finds the base of a delta that begins at an offset.
func (p *packReader) offsetBase(offset int64) (int32, error) {
	back, err := p.source.distance()
	if err != nil {
		return none, err
	}
	at := sort.Search(len(p.entries), func(i int) bool { return p.entries[i].offset >= offset-back })
	if at == len(p.entries) || p.entries[at].offset != offset-back {
		return none, errNoBase
	}
	return int32(at), nil //nolint:gosec // at most MaxPackObjects
}

// content takes an object's content off the wire and keeps what is of use.
func (p *packReader) content(e *packEntry) error {
	delta := e.kind == plumbing.OFSDeltaObject || e.kind == plumbing.REFDeltaObject
	blob := e.kind == plumbing.BlobObject
	switch {
	case blob && e.size > MaxFileBytes, delta && e.size > MaxTreeBytes:
		if p.missing == 0 || delta {
			return p.stream(p.source, e.size, io.Discard)
		}
		hasher := plumbing.NewHasher(plumbing.BlobObject, e.size)
		if err := p.stream(p.source, e.size, hasher); err != nil {
			return err
		}
		if id := hasher.Sum(); p.sel.Wanted[id] {
			p.add(id, Object{LargeBlob, nil})
		}
		return nil
	case !delta && !blob && e.size > MaxTreeBytes:
		return treeBound.Exceeded()
	}
	if blob || delta {
		p.source.flush()
		e.spooled = p.spool.size
		p.source.recording = true
	}
	data, err := p.inflate(p.source, e.size)
	p.source.flush()
	p.source.recording = false
	if err != nil || delta {
		return errors.Join(err, p.spool.check())
	}
	e.id = plumbing.ComputeHash(e.kind, data)
	return errors.Join(p.spool.check(), p.retain(e.id, Object{e.kind, data}))
}

// retain takes an object whose data is a buffer's.
func (p *packReader) retain(id Hash, o Object) error {
	if _, known := p.objects[id]; known {
		return nil
	}
	cost := int64(len(o.Data) + objectOverhead)
	switch {
	case o.Kind != plumbing.BlobObject || p.sel.Wanted[id]:
		if p.kept += cost; p.kept > maxKeptBytes {
			return keptBound.Exceeded()
		}
	case len(o.Data) > KeptBlob || int(cost) > p.sel.Spare:
		return nil
	default:
		p.sel.Spare -= int(cost)
	}
	p.add(id, Object{o.Kind, bytes.Clone(o.Data)})
	return nil
}

func (p *packReader) add(id Hash, o Object) {
	if _, known := p.objects[id]; !known && p.sel.Wanted[id] {
		p.missing--
	}
	p.objects[id] = o
}

// packSource is the wire: it hashes what is read, and spools it if that is asked for.
type packSource struct {
	ctx       context.Context
	r         io.Reader
	sum       gohash.Hash
	spool     *spool
	recording bool

	window     []byte
	mark, at   int   // what is before mark is hashed, what is before at is read
	before     int64 // bytes before mark
	unfinished error
}

func newPackSource(ctx context.Context, r io.Reader) *packSource {
	return &packSource{ctx: ctx, r: r, sum: hash.New(crypto.SHA1), window: make([]byte, 0, 32<<10)}
}

func (s *packSource) offset() int64 { return s.before + int64(s.at-s.mark) }

func (s *packSource) flush() {
	part := s.window[s.mark:s.at]
	s.sum.Write(part)
	if s.recording {
		s.spool.write(part)
	}
	s.before, s.mark = s.before+int64(len(part)), s.at
}

// fill reads on when all of the window is read.
func (s *packSource) fill() error {
	if s.at < len(s.window) {
		return nil
	}
	s.flush()
	if s.recording {
		if err := s.spool.check(); err != nil {
			return err
		}
	}
	s.window, s.mark, s.at = s.window[:0], 0, 0
	for len(s.window) == 0 {
		if err := s.unfinished; err != nil {
			return err
		}
		if s.ctx.Err() != nil {
			return context.Cause(s.ctx)
		}
		var n int
		n, s.unfinished = s.r.Read(s.window[:cap(s.window)])
		s.window = s.window[:n]
	}
	return nil
}

func (s *packSource) ReadByte() (byte, error) {
	if err := s.fill(); err != nil {
		return 0, err
	}
	s.at++
	return s.window[s.at-1], nil
}

func (s *packSource) Read(p []byte) (int, error) {
	if err := s.fill(); err != nil {
		return 0, err
	}
	n := copy(p, s.window[s.at:])
	s.at += n
	return n, nil
}

func (s *packSource) full(p []byte) error {
	_, err := io.ReadFull(s, p)
	return err
}

var errNoBase = errors.New("pack: delta without a base")

// header returns the number of objects.
func (s *packSource) header() (uint32, error) {
	var head [12]byte
	if err := s.full(head[:]); err != nil {
		return 0, err
	}
	if string(head[:4]) != "PACK" {
		return 0, errors.New("pack: malformed signature")
	}
	if version := binary.BigEndian.Uint32(head[4:]); version != 2 {
		return 0, fmt.Errorf("pack: unknown version %d", version)
	}
	return binary.BigEndian.Uint32(head[8:]), nil
}

func (s *packSource) objectHeader() (plumbing.ObjectType, int64, error) {
	b, err := s.ReadByte()
	if err != nil {
		return 0, 0, err
	}
	kind, size := plumbing.ObjectType(b>>4&7), int64(b&0x0f)
	for shift := 4; b&0x80 != 0; shift += 7 {
		if shift > 53 {
			return 0, 0, errors.New("pack: malformed size")
		}
		if b, err = s.ReadByte(); err != nil {
			return 0, 0, err
		}
		size |= int64(b&0x7f) << shift
	}
	return kind, size, nil
}

// distance to the base of a delta by offset.
func (s *packSource) distance() (int64, error) {
	b, err := s.ReadByte()
	if err != nil {
		return 0, err
	}
	n := int64(b & 0x7f)
	for b&0x80 != 0 {
		if n >= 1<<40 {
			return 0, errNoBase
		}
		if b, err = s.ReadByte(); err != nil {
			return 0, err
		}
		n = (n+1)<<7 | int64(b&0x7f)
	}
	return n, nil
}

func (s *packSource) trailer() error {
	s.flush()
	want := s.sum.Sum(nil)
	got := make([]byte, len(want))
	if err := s.full(got); err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return errors.New("pack: the checksum at its end is wrong")
	}
	return nil
}
