package odb

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
)

// base is an object that deltas wait for.
type base struct {
	kind    plumbing.ObjectType
	data    []byte
	waiting int
}

// pendingDelta is a delta whose base is there.
type pendingDelta struct {
	entry int32
	base  *base
}

// resolve gives every delta its base: those upon whole objects, and those upon what comes of them. Each delta is patched once.
func (p *packReader) resolve() error {
	for i := len(p.entries) - 1; i >= 0; i-- {
		if e := &p.entries[i]; e.base != none {
			p.entries[e.base].weight += e.weight
		}
	}
	for i := range p.entries {
		e := &p.entries[i]
		if e.kind == plumbing.OFSDeltaObject || e.kind == plumbing.REFDeltaObject {
			continue
		}
		deltas := p.deltasUpon(e)
		if len(deltas) == 0 {
			continue
		}
		b, err := p.wholeBase(e)
		if err != nil {
			return err
		}
		if err := p.descend(b, deltas); err != nil {
			return err
		}
	}
	if len(p.byID) > 0 && !p.omitted {
		return errNoBase
	}
	return nil
}

// deltasUpon an object whose id is known, the heaviest last: the base of a long chain can go before the chain is followed.
func (p *packReader) deltasUpon(e *packEntry) []int32 {
	var deltas []int32
	for at := e.child; at != none; at = p.entries[at].next {
		deltas = append(deltas, at)
	}
	if first, found := p.byID[e.id]; found {
		delete(p.byID, e.id)
		for at := first; at != none; at = p.entries[at].next {
			deltas = append(deltas, at)
		}
	}
	slices.SortStableFunc(deltas, func(a, b int32) int { return int(p.entries[a].weight - p.entries[b].weight) })
	return deltas
}

// wholeBase is an object that came whole; nil: it is not kept.
func (p *packReader) wholeBase(e *packEntry) (*base, error) {
	if o, known := p.objects[e.id]; known && o.Kind == e.kind {
		return &base{kind: e.kind, data: o.Data}, nil
	}
	if !p.useful(e.kind) || e.spooled == none {
		return nil, nil
	}
	data, err := p.inflate(&spoolReader{&p.spool, e.spooled}, e.size)
	return &base{kind: e.kind, data: slices.Clone(data)}, err
}

// useful reports whether deltas upon an object of a kind can give anything that is to be kept.
func (p *packReader) useful(kind plumbing.ObjectType) bool {
	return kind != plumbing.BlobObject || p.missing > 0 || p.sel.Spare > objectOverhead
}

// descend patches the deltas upon a base and those upon their results.
func (p *packReader) descend(b *base, deltas []int32) error {
	stack := p.push(nil, b, deltas)
	for len(stack) > 0 {
		if p.ctx.Err() != nil {
			return context.Cause(p.ctx)
		}
		top := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		result, id, err := p.patch(top)
		if err != nil {
			return err
		}
		e := &p.entries[top.entry]
		e.id = id
		deltas := p.deltasUpon(e)
		stack = p.push(stack, result, deltas)
		if p.held > maxHeldBytes {
			return heldBound.Exceeded()
		}
	}
	return nil
}

// push puts the deltas onto the stack, so that the first of them is the next. A base that is nil takes them with it.
func (p *packReader) push(stack []pendingDelta, b *base, deltas []int32) []pendingDelta {
	if len(deltas) == 0 {
		return stack
	}
	if b != nil {
		b.waiting = len(deltas)
		p.held += int64(len(b.data))
	}
	for _, at := range slices.Backward(deltas) {
		stack = append(stack, pendingDelta{at, b})
	}
	return stack
}

// patch returns the result of a delta; nil: it is not kept, and neither is what is upon it.
func (p *packReader) patch(d pendingDelta) (*base, Hash, error) {
	b := d.base
	if b == nil {
		p.omitted = true
		return nil, Hash{}, nil
	}
	if b.waiting--; b.waiting == 0 {
		p.held -= int64(len(b.data))
	}
	e := p.entries[d.entry]
	omit := e.spooled == none || !p.useful(b.kind)
	if omit && b.kind != plumbing.BlobObject {
		return nil, Hash{}, treeBound.Exceeded()
	}
	if omit {
		p.omitted = true
		return nil, Hash{}, nil
	}
	delta, err := p.inflate(&spoolReader{&p.spool, e.spooled}, e.size)
	if err != nil {
		return nil, Hash{}, err
	}
	_, size, _, err := deltaSizes(delta)
	switch {
	case err != nil:
		return nil, Hash{}, err
	case b.kind == plumbing.BlobObject && size > MaxFileBytes:
		p.omitted = true
		return nil, Hash{}, nil
	case size > MaxTreeBytes:
		return nil, Hash{}, treeBound.Exceeded()
	}
	if p.inflated += int64(size); p.inflated > maxInflatedBytes { //nolint:gosec // at most MaxTreeBytes
		return nil, Hash{}, inflatedBound.Exceeded()
	}
	data, err := patchDelta(b.data, delta)
	if err != nil {
		return nil, Hash{}, err
	}
	id := plumbing.ComputeHash(b.kind, data)
	return &base{kind: b.kind, data: data}, id, p.retain(id, Object{b.kind, data})
}

var errMalformedDelta = errors.New("pack: malformed delta")

// longestSize in bytes: Git takes no number that could have more than 63 bits.
const longestSize = 9

// deltaSizes reads the head of a delta: the sizes of its base and of its result.
func deltaSizes(delta []byte) (from, to uint64, rest []byte, err error) {
	from, n := binary.Uvarint(delta)
	if n <= 0 || n > longestSize {
		return 0, 0, nil, errMalformedDelta
	}
	to, m := binary.Uvarint(delta[n:])
	if m <= 0 || m > longestSize {
		return 0, 0, nil, errMalformedDelta
	}
	return from, to, delta[n+m:], nil
}

// patchDelta applies a delta. The result is made when the instructions have been found to give as much as the delta claims.
func patchDelta(from, delta []byte) ([]byte, error) {
	size, result, instructions, err := deltaSizes(delta)
	if err != nil || size != uint64(len(from)) || result > MaxTreeBytes {
		return nil, errMalformedDelta
	}
	var sum uint64
	for rest := instructions; len(rest) > 0; {
		var part []byte
		if part, rest, err = deltaPart(from, rest); err != nil {
			return nil, err
		}
		if sum += uint64(len(part)); sum > result {
			return nil, errMalformedDelta
		}
	}
	if sum != result {
		return nil, errMalformedDelta
	}
	data := make([]byte, 0, result)
	for rest := instructions; len(rest) > 0; {
		var part []byte
		part, rest, _ = deltaPart(from, rest)
		data = append(data, part...)
	}
	return data, nil
}

// deltaPart is what one instruction gives: a copy of the base, or bytes of the delta's own.
func deltaPart(from, instructions []byte) (part, rest []byte, err error) {
	op, rest := instructions[0], instructions[1:]
	if op&0x80 == 0 {
		if op == 0 || int(op) > len(rest) {
			return nil, nil, errMalformedDelta
		}
		return rest[:op], rest[op:], nil
	}
	var fields [7]byte // four of the offset, three of the size
	for i := range fields {
		if op&(1<<i) == 0 {
			continue
		}
		if len(rest) == 0 {
			return nil, nil, errMalformedDelta
		}
		fields[i], rest = rest[0], rest[1:]
	}
	offset := int(binary.LittleEndian.Uint32(fields[:4]))
	size := int(fields[4]) | int(fields[5])<<8 | int(fields[6])<<16
	if size == 0 {
		size = 0x10000
	}
	if offset > len(from) || size > len(from)-offset {
		return nil, nil, errMalformedDelta
	}
	return from[offset : offset+size], rest, nil
}
