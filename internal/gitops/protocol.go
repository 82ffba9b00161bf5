package gitops

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
)

// remote speaks the Git protocol with one server. One goroutine at a time may use it.
type remote interface {
	// tip asks where the branch stands, and learns the server's capabilities on the way.
	tip(ctx context.Context) (place, error)
	// supports tells of a capability for fetching. known is false until the first tip.
	supports(c capability.Capability) bool
	known() bool
	// fetch is one round of upload-pack.
	fetch(ctx context.Context, f fetchRequest) (map[Hash]object, error)
	// push moves the branch from old to id, which must be a child of old, or creates it at id where old is the zero Hash.
	// sending is asked, perhaps more than once and by another goroutine, before anything goes out that the server could act upon;
	// after an error of it nothing does. An error of push means that the outcome is not known if sending was asked and had none,
	// unless it is a *turnedAwayError.
	push(ctx context.Context, old, id Hash, pack []byte, sending func() error) (report, error)
}

func newRemote(t *target) remote {
	if t.ssh != nil {
		return newSSHRemote(t)
	}
	return newHTTPRemote(t)
}

// fetchRequest is one round of upload-pack.
type fetchRequest struct {
	wants, haves, shallows []Hash
	depth                  int
	filter                 string
	keep                   []Hash // blobs of a whole snapshot that must stay in the store
	spare                  int    // bytes of other blobs that may be taken along
	limit                  bound  // of the pack; the zero bound: fetchBound
}

func (f fetchRequest) bound() bound {
	if f.limit.most > 0 {
		return f.limit
	}
	return fetchBound
}

// selection is what of the answer is kept.
func (f fetchRequest) selection() selection {
	s := selection{wanted: map[Hash]bool{}, spare: f.spare}
	for _, id := range slices.Concat(f.wants, f.keep) {
		s.wanted[id] = true
	}
	return s
}

// capabilities are what a server offers for fetching.
type capabilities struct {
	list     *capability.List // nil until the first tip
	multiACK bool
	agent    string
}

func (c *capabilities) supports(name capability.Capability) bool {
	return c.list != nil && c.list.Supports(name)
}

func (c *capabilities) known() bool { return c.list != nil }

// learn takes an advertisement in and finds the branch.
func (c *capabilities) learn(advert *packp.AdvRefs, multiACK bool, t *target) (place, error) {
	defer func() { // go-git keeps the advertisement
		advert.References, advert.Peeled, advert.Shallows = nil, nil, nil
	}()
	c.list, c.multiACK, c.agent = advert.Capabilities, multiACK, strings.Join(strings.Fields(t.UserAgent), "-")
	id, found := advert.References["refs/heads/"+t.Branch]
	switch {
	case found:
		return place{tip: id}, nil
	case !t.CreateBranch:
		return place{}, ErrBranchNotFound
	case advert.Head == nil:
		return place{}, fmt.Errorf("%w, and it has no default branch to create it from", ErrBranchNotFound)
	}
	return place{tip: *advert.Head, unborn: true}, nil
}

// emptyRepository is what the advertisement of a repository without commits means.
func emptyRepository(t *target) (place, error) {
	if t.CreateBranch {
		return place{tip: noCommit, unborn: true}, nil
	}
	return place{}, ErrEmptyRepository
}

// request encodes a fetch with the capabilities it needs among those that the server offers.
func (c *capabilities) request(f fetchRequest) (*packp.UploadPackRequest, error) {
	request := packp.NewUploadPackRequest()
	request.Wants, request.Haves, request.Shallows = f.wants, f.haves, f.shallows
	request.Depth, request.Filter = packp.DepthCommits(f.depth), packp.Filter(f.filter)
	var list []capability.Capability
	add := func(needed bool, name capability.Capability) {
		if needed {
			list = append(list, name)
		}
	}
	add(c.supports(capability.Sideband64k), capability.Sideband64k)
	add(!c.supports(capability.Sideband64k) && c.supports(capability.Sideband), capability.Sideband)
	add(c.supports(capability.NoProgress), capability.NoProgress)
	add(c.supports(capability.OFSDelta), capability.OFSDelta)
	add(f.depth > 0 || len(f.shallows) > 0, capability.Shallow)
	add(f.filter != "", capability.Filter)
	add(c.multiACK, capability.MultiACKDetailed)
	for _, name := range list {
		if err := request.Capabilities.Set(name); err != nil {
			return nil, err
		}
	}
	return request, c.setAgent(request.Capabilities)
}

func (c *capabilities) setAgent(list *capability.List) error {
	if c.agent == "" || !c.supports(capability.Agent) {
		return nil
	}
	return list.Set(capability.Agent, c.agent)
}

// objects decodes the pack of a response.
func objects(ctx context.Context, request *packp.UploadPackRequest, response io.Reader, f fetchRequest) (map[Hash]object, error) {
	switch {
	case request.Capabilities.Supports(capability.Sideband64k):
		response = sideband.NewDemuxer(sideband.Sideband64k, response)
	case request.Capabilities.Supports(capability.Sideband):
		response = sideband.NewDemuxer(sideband.Sideband, response)
	}
	return readPack(ctx, response, f.selection())
}

// update encodes a push of one branch, with the pack apart.
func (c *capabilities) update(branch string, old, id Hash, text io.Writer) (*packp.ReferenceUpdateRequest, error) {
	request := packp.NewReferenceUpdateRequest()
	request.Commands = []*packp.Command{{Name: plumbing.NewBranchReferenceName(branch), Old: old, New: id}}
	request.Progress = text
	// Both are as old as smart HTTP. A server that does not know one leaves an answer that is not understood; the tip decides then.
	for _, name := range []capability.Capability{capability.ReportStatus, capability.Sideband64k} {
		if err := request.Capabilities.Set(name); err != nil {
			return nil, err
		}
	}
	return request, c.setAgent(request.Capabilities)
}
