// Package wire speaks the Git protocol, version 0, with one server over HTTP or SSH: the branch's tip, packs of what is asked for, and a
// push of one branch. HTTP goes through go-git's sessions, with a transport of this package below them that bounds and records the
// answers; SSH has a transport of its own, since go-git's does not end with a context. What a server did is told in errors that say
// whether it may pass; Retrying repeats reads for which it may.
package wire

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
)

// Remote speaks the Git protocol with one server. One goroutine at a time may use it.
type Remote interface {
	// Tip asks where the branch stands, and learns the server's capabilities on the way.
	Tip(ctx context.Context) (Place, error)
	// Supports tells of a capability for fetching. Known is false until the first Tip.
	Supports(c capability.Capability) bool
	Known() bool
	// Fetch is one round of upload-pack.
	Fetch(ctx context.Context, f FetchRequest) (map[odb.Hash]odb.Object, error)
	// Push moves the branch from old to id, or creates it at id if old is the zero Hash.
	// sending is asked, perhaps more than once and by another goroutine, before anything goes out that the server could act upon;
	// after an error of it nothing does. An error of Push means that the outcome is not known if sending was asked and had none,
	// unless it is a *TurnedAwayError.
	Push(ctx context.Context, old, id odb.Hash, pack []byte, sending func() error) (Report, error)
}

// Server is a repository on a server, and how to log in there.
type Server struct {
	Endpoint     *url.URL // without user information
	Branch       string   // without refs/heads/
	CreateBranch bool     // a branch that is not there is a place to push to
	Base         string   // the branch that it begins at and is to be merged into; empty: none
	PushOptions  []string // of every push; NAME alone means NAME=true
	UserAgent    string
	HTTP         HTTPLogin
	SSH          *SSHLogin // nil: HTTP
	// Moved is told where on the server the repository is, if the server redirects to another place there. It may be nil.
	Moved func(url string)
}

// New has no connection until it is used.
func New(s Server) Remote {
	if s.SSH != nil {
		return newSSHRemote(s)
	}
	return newHTTPRemote(s)
}

// FetchRequest is one round of upload-pack.
type FetchRequest struct {
	Wants, Haves, Shallows []odb.Hash
	Depth                  int
	Filter                 string
	Keep                   []odb.Hash // blobs of a whole snapshot that must stay in the store
	Spare                  int        // bytes of other blobs that may be taken along
	Optional               bool       // what is wanted may be missing in the answer: of what leads to the haves the server sends nothing
	Limit                  odb.Bound  // of the pack; the zero bound: fetchBound
}

func (f FetchRequest) bound() odb.Bound {
	if f.Limit.Most > 0 {
		return f.Limit
	}
	return fetchBound
}

// selection is what of the answer is kept.
func (f FetchRequest) selection() odb.Selection {
	s := odb.Selection{Wanted: map[odb.Hash]bool{}, Spare: f.Spare}
	for _, id := range slices.Concat(f.Wants, f.Keep) {
		s.Wanted[id] = true
	}
	return s
}

// capabilities are what a server offers for fetching.
type capabilities struct {
	list     *capability.List // nil until the first tip
	multiACK bool
	agent    string
}

func (c *capabilities) Supports(name capability.Capability) bool {
	return c.list != nil && c.list.Supports(name)
}

func (c *capabilities) Known() bool { return c.list != nil }

// learn takes an advertisement in and finds the branch.
func (c *capabilities) learn(advert *packp.AdvRefs, multiACK bool, s Server) (Place, error) {
	defer func() { // go-git keeps the advertisement
		advert.References, advert.Peeled, advert.Shallows = nil, nil, nil
	}()
	c.list, c.multiACK, c.agent = advert.Capabilities, multiACK, strings.Join(strings.Fields(s.UserAgent), "-")
	id, found := advert.References["refs/heads/"+s.Branch]
	if s.Base != "" {
		base, there := advert.References["refs/heads/"+s.Base]
		switch {
		case !there:
			return Place{}, &BranchNotFoundError{Branch: s.Base, Default: defaultBranch(advert)}
		case !found:
			return Place{Tip: base, Base: base}, nil
		}
		return Place{Tip: id, Ref: id, Base: base}, nil
	}
	switch {
	case found:
		return Place{Tip: id, Ref: id}, nil
	case !s.CreateBranch:
		if other := defaultBranch(advert); other != "" && other != s.Branch {
			return Place{}, &BranchNotFoundError{Branch: s.Branch, Default: other}
		}
		return Place{}, ErrBranchNotFound
	case advert.Head == nil:
		return Place{}, fmt.Errorf("%w, and it has no default branch to create it from", ErrBranchNotFound)
	}
	return Place{Tip: *advert.Head}, nil
}

// defaultBranch is the branch that HEAD names; empty: the server does not tell.
func defaultBranch(advert *packp.AdvRefs) string {
	for _, link := range advert.Capabilities.Get(capability.SymRef) {
		if name, found := strings.CutPrefix(link, "HEAD:refs/heads/"); found {
			return printable.Line(name, MaxLineBytes)
		}
	}
	return ""
}

// emptyRepository is what the advertisement of a repository without commits means.
func emptyRepository(s Server) (Place, error) {
	if s.CreateBranch {
		return Place{Tip: odb.NoCommit}, nil
	}
	return Place{}, ErrEmptyRepository
}

// request encodes a fetch with the capabilities it needs among those that the server offers.
func (c *capabilities) request(f FetchRequest) (*packp.UploadPackRequest, error) {
	request := packp.NewUploadPackRequest()
	request.Wants, request.Haves, request.Shallows = f.Wants, f.Haves, f.Shallows
	request.Depth, request.Filter = packp.DepthCommits(f.Depth), packp.Filter(f.Filter)
	var list []capability.Capability
	add := func(needed bool, name capability.Capability) {
		if needed {
			list = append(list, name)
		}
	}
	add(c.Supports(capability.Sideband64k), capability.Sideband64k)
	add(!c.Supports(capability.Sideband64k) && c.Supports(capability.Sideband), capability.Sideband)
	add(c.Supports(capability.NoProgress), capability.NoProgress)
	add(c.Supports(capability.OFSDelta), capability.OFSDelta)
	add(f.Depth > 0 || len(f.Shallows) > 0, capability.Shallow)
	add(f.Filter != "", capability.Filter)
	add(c.multiACK, capability.MultiACKDetailed)
	for _, name := range list {
		if err := request.Capabilities.Set(name); err != nil {
			return nil, err
		}
	}
	return request, c.setAgent(request.Capabilities)
}

func (c *capabilities) setAgent(list *capability.List) error {
	if c.agent == "" || !c.Supports(capability.Agent) {
		return nil
	}
	return list.Set(capability.Agent, c.agent)
}

// objects decodes the pack of a response.
func objects(ctx context.Context, request *packp.UploadPackRequest, response io.Reader, f FetchRequest) (map[odb.Hash]odb.Object, error) {
	switch {
	case request.Capabilities.Supports(capability.Sideband64k):
		response = sideband.NewDemuxer(sideband.Sideband64k, response)
	case request.Capabilities.Supports(capability.Sideband):
		response = sideband.NewDemuxer(sideband.Sideband, response)
	}
	return odb.ReadPack(ctx, response, f.selection())
}

// update encodes a push of one branch, with the pack apart.
func (c *capabilities) update(s Server, old, id odb.Hash, text io.Writer) (*packp.ReferenceUpdateRequest, error) {
	request := packp.NewReferenceUpdateRequest()
	request.Commands = []*packp.Command{{Name: plumbing.NewBranchReferenceName(s.Branch), Old: old, New: id}}
	request.Progress = text
	for _, option := range s.PushOptions {
		// What has no value is sent with one: go-git writes the sign in any case, and after it servers read "nothing" as "no".
		name, value, found := strings.Cut(option, "=")
		if !found {
			value = "true"
		}
		request.Options = append(request.Options, &packp.Option{Key: name, Value: value})
	}
	if len(request.Options) > 0 {
		if err := request.Capabilities.Set(capability.PushOptions); err != nil {
			return nil, err
		}
	}
	// Both are as old as smart HTTP. A server that does not know one leaves an answer that is not understood; the tip decides then.
	for _, name := range []capability.Capability{capability.ReportStatus, capability.Sideband64k} {
		if err := request.Capabilities.Set(name); err != nil {
			return nil, err
		}
	}
	return request, c.setAgent(request.Capabilities)
}
