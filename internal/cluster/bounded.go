package cluster

import (
	"io"
)

// limit is what an answer, or one event of a stream, may take.
type limit struct {
	what          string
	bytes, values int64
	// A stream consists of objects one after another, each with this limit. It ends
	// after the object with which it has brought more than these.
	stream                    bool
	streamBytes, streamValues int64
}

var (
	ofObject = limit{what: "the answer about one object", bytes: objectBytes, values: objectValues}
	ofList   = limit{what: "a list of objects", bytes: listBytes, values: listValues}
	ofWatch  = limit{
		what: "an event of a watch", bytes: eventBytes, values: objectValues,
		stream: true, streamBytes: streamBytes, streamValues: streamValues,
	}
)

// bounded is an answer's body, as it is after its decompression, which ends with
// a *LimitError beyond its limit.
type bounded struct {
	io.ReadCloser
	exchange *exchange
	cluster  string

	bytes, values       int64 // of the answer, or of the event
	allBytes, allValues int64 // of the stream, up to this event
	depth               int
	inString, escaped   bool
	err                 error
}

func (b *bounded) Read(data []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.ReadCloser.Read(data)
	if taken, stop := b.count(data[:n]); stop != nil {
		n, err = taken, stop
	}
	if err == nil && b.bytes > largeBytes && !b.exchange.most.stream {
		if err = b.exchange.enterLarge(); err != nil {
			n = 0
		}
	}
	b.err = err
	b.exchange.read(data[:n], err)
	return n, err
}

// count takes note of a part of the body, which is JSON or will not be decoded.
// It returns how much of the part may be used if the body is to end there.
func (b *bounded) count(data []byte) (int, error) {
	most := b.exchange.most
	for i, c := range data {
		b.bytes++
		switch {
		case b.escaped:
			b.escaped = false
		case b.inString:
			b.escaped, b.inString = c == '\\', c != '"'
		default:
			b.structure(c)
		}
		switch {
		case b.bytes > most.bytes:
			return i, &LimitError{Cluster: b.cluster, What: most.what, Most: most.bytes, Unit: "bytes"}
		case b.values > most.values:
			return i, &LimitError{Cluster: b.cluster, What: most.what, Most: most.values, Unit: "values"}
		case most.stream && c == '}' && b.depth == 0 && !b.inString:
			b.allBytes, b.allValues = b.allBytes+b.bytes, b.allValues+b.values
			b.bytes, b.values = 0, 0
			if b.allBytes > most.streamBytes || b.allValues > most.streamValues {
				return i + 1, io.EOF
			}
		}
	}
	return len(data), nil
}

func (b *bounded) structure(c byte) {
	switch c {
	case '"':
		b.inString = true
	case '{', '[':
		b.depth++
		b.values++
	case '}', ']':
		b.depth--
	case ',':
		b.values++
	}
}
