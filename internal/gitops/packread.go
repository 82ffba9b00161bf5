package gitops

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// Bounds on what a server's pack may hold once it is inflated.
const (
	maxObjectBytes = 256 << 20
	maxPackBytes   = 2 << 30
)

var errTooLarge = errors.New("the server's answer is larger than this client accepts")

// pendingDelta is a delta whose base comes later in the pack.
type pendingDelta struct {
	base   Hash
	delta  []byte
	offset int64
}

// readPack decodes a pack. A pack that is cut off is an error; ids are computed here, so the content is what its id says.
func readPack(r io.Reader) (map[Hash]object, error) {
	scanner := packfile.NewScanner(r)
	_, count, err := scanner.Header()
	if errors.Is(err, packfile.ErrEmptyPackfile) {
		return nil, io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	p := &packReader{objects: map[Hash]object{}, offsets: map[int64]Hash{}}
	for range count {
		if err := p.next(scanner); err != nil {
			return nil, err
		}
	}
	if _, err := scanner.Checksum(); err != nil {
		return nil, fmt.Errorf("pack trailer: %w", err)
	}
	if err := p.resolvePending(); err != nil {
		return nil, err
	}
	return p.objects, nil
}

type packReader struct {
	objects map[Hash]object
	offsets map[int64]Hash
	pending []pendingDelta
	total   int64
}

func (p *packReader) next(scanner *packfile.Scanner) error {
	header, err := scanner.NextObjectHeader()
	if err != nil {
		return err
	}
	// NextObject resets what the header pointed to.
	kind, offset, reference, baseOffset := header.Type, header.Offset, header.Reference, header.OffsetReference
	if header.Length > maxObjectBytes {
		return errTooLarge
	}
	var data bytes.Buffer
	if _, _, err := scanner.NextObject(&data); err != nil {
		return err
	}
	if p.total += int64(data.Len()); p.total > maxPackBytes {
		return errTooLarge
	}
	switch kind {
	case plumbing.OFSDeltaObject:
		base, known := p.offsets[baseOffset]
		if !known {
			return errors.New("pack: delta without a base")
		}
		reference = base
	case plumbing.REFDeltaObject:
	default:
		p.add(offset, object{kind, data.Bytes()})
		return nil
	}
	base, known := p.objects[reference]
	if !known {
		p.pending = append(p.pending, pendingDelta{reference, data.Bytes(), offset})
		return nil
	}
	return p.patch(offset, base, data.Bytes())
}

func (p *packReader) patch(offset int64, base object, delta []byte) error {
	if targetSize(delta) > maxObjectBytes {
		return errTooLarge
	}
	data, err := packfile.PatchDelta(base.data, delta)
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	if p.total += int64(len(data)); len(data) > maxObjectBytes || p.total > maxPackBytes {
		return errTooLarge
	}
	p.add(offset, object{base.kind, data})
	return nil
}

// targetSize is the second number at the head of a delta: the size that it claims to produce.
func targetSize(delta []byte) uint64 {
	_, n := binary.Uvarint(delta)
	if n <= 0 {
		return 0 // malformed, as the decoder will find
	}
	size, _ := binary.Uvarint(delta[n:])
	return size
}

func (p *packReader) add(offset int64, o object) {
	id := o.hash()
	p.objects[id], p.offsets[offset] = o, id
}

// resolvePending patches deltas that came before their bases, as long as that makes progress.
func (p *packReader) resolvePending() error {
	for len(p.pending) > 0 {
		waiting := p.pending
		p.pending = nil
		for _, delta := range waiting {
			base, known := p.objects[delta.base]
			if !known {
				p.pending = append(p.pending, delta)
				continue
			}
			if err := p.patch(delta.offset, base, delta.delta); err != nil {
				return err
			}
		}
		if len(p.pending) == len(waiting) {
			return errors.New("pack: delta without a base")
		}
	}
	return nil
}
