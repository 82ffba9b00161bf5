package wire

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
)

// reportBody bounds the report within the answer to a push. What hooks say comes in packets of its own, is not kept whole, and does not
// count.
type reportBody struct {
	io.ReadCloser
	left int64
	size []byte // of the next packet, as far as it was read
	rest int    // of the packet's content
	band int    // progress, or anything else; unread at the begin of a packet
}

const unread, progress = -1, 2

func (b *reportBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, reportBound.Exceeded()
	}
	n, err := b.ReadCloser.Read(p)
	b.count(p[:n])
	return n, err
}

func (b *reportBody) count(p []byte) {
	for len(p) > 0 {
		if b.rest == 0 {
			n := min(len(p), 4-len(b.size))
			b.size, p = append(b.size, p[:n]...), p[n:]
			b.left -= int64(n)
			if len(b.size) < 4 {
				return
			}
			size, err := strconv.ParseUint(string(b.size), 16, 16)
			if b.size = b.size[:0]; err == nil && size > 4 {
				b.rest, b.band = int(size)-4, unread //nolint:gosec // of 16 bits
			}
			continue
		}
		if b.band == unread {
			if b.band = int(p[0]); b.band == progress {
				b.left += 4
			}
		}
		n := min(len(p), b.rest)
		if b.band != progress {
			b.left -= int64(n)
		}
		b.rest, p = b.rest-n, p[n:]
	}
}

// Report is a server's definite answer to a push.
type Report struct {
	Accepted bool
	Reason   string // why not: the status of the branch, or of the pack
	Unpack   bool   // the reason is about the pack
	Text     string // what else the server said
}

// MayPass reports whether another writer, or a busy server, can be the reason of a refusal. It decides about another attempt alone:
// whether the commit is on the branch is asked of the branch.
func (r Report) MayPass() bool {
	if r.Unpack {
		return true
	}
	for _, text := range []string{"lock", "failed to update ref", "stale", "fetch first", "non-fast-forward", "old value", "internal", "timeout", "try again"} {
		if strings.Contains(strings.ToLower(r.Reason), text) {
			return true
		}
	}
	return false
}

// newReport finds what a report says about the branch. What it says about others tells nothing.
func newReport(status *packp.ReportStatus, branch, text string) (Report, error) {
	if status.UnpackStatus != "ok" {
		return Report{Reason: printable.Line(status.UnpackStatus, MaxLineBytes), Unpack: true, Text: text}, nil
	}
	accepted := false
	for _, command := range status.CommandStatuses {
		switch {
		case command.ReferenceName != plumbing.NewBranchReferenceName(branch):
		case command.Status != "ok":
			return Report{Reason: printable.Line(command.Status, MaxLineBytes), Text: text}, nil
		default:
			accepted = true
		}
	}
	if !accepted {
		return Report{}, &ProtocolError{errors.New("the server did not report on the branch")}
	}
	return Report{Accepted: true}, nil
}

// objectFormat is what an advertisement says the ids of the repository are made with; empty: nothing.
func objectFormat(head []byte) string {
	_, capabilities, _ := bytes.Cut(head, []byte{0})
	capabilities, _, _ = bytes.Cut(capabilities, []byte{'\n'})
	_, format, _ := bytes.Cut(capabilities, []byte("object-format="))
	format, _, _ = bytes.Cut(format, []byte{' '})
	return printable.Line(string(format), MaxLineBytes)
}
