package gitops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
)

// httpRemote is a server over smart HTTP, through go-git's sessions.
type httpRemote struct {
	capabilities
	target *target
	base   func() *http.Transport // made at the first request
	client transport.Transport

	// upload is used for every fetch: go-git keeps where a redirect of the discovery led to in its endpoint.
	upload   transport.UploadPackSession
	endpoint *transport.Endpoint
}

func newHTTPRemote(t *target) *httpRemote {
	base := sync.OnceValue(func() *http.Transport { return newTransport(t) })
	// Some servers tell Git clients from browsers by how the user agent begins.
	tripper := &roundTripper{base: base, userAgent: "git/2.0 (" + t.UserAgent + ")"}
	return &httpRemote{target: t, base: base, client: githttp.NewClient(&http.Client{Transport: tripper})}
}

func (r *httpRemote) newEndpoint() (*transport.Endpoint, error) {
	return transport.NewEndpoint(r.target.endpoint.String())
}

func (r *httpRemote) auth() transport.AuthMethod {
	switch {
	case r.target.HTTP.BearerToken != "":
		return &githttp.TokenAuth{Token: r.target.HTTP.BearerToken}
	case r.target.HTTP.Password != "":
		return &githttp.BasicAuth{Username: r.target.HTTP.Username, Password: r.target.HTTP.Password}
	}
	return nil
}

// connect starts over at the configured URL. There is no network access.
func (r *httpRemote) connect() error {
	endpoint, err := r.newEndpoint()
	if err != nil {
		return err
	}
	upload, err := r.client.NewUploadPackSession(endpoint, r.auth())
	if err != nil {
		return err
	}
	r.upload, r.endpoint = upload, endpoint
	return nil
}

func (r *httpRemote) tip(ctx context.Context) (place, error) {
	if r.upload == nil {
		if err := r.connect(); err != nil {
			return place{}, err
		}
	}
	tracked, x := newExchange(ctx, maxAdvertBytes)
	defer x.finish()
	advert, err := r.upload.AdvertisedReferencesContext(tracked)
	if err != nil {
		err = classify(ctx, x, err)
		if errors.Is(err, ErrEmptyRepository) {
			return emptyRepository(r.target)
		}
		// A redirect that led nowhere must not stick.
		return place{}, errors.Join(err, r.connect())
	}
	return r.learn(advert, x.offersMultiACK(), r.target)
}

func (r *httpRemote) fetch(ctx context.Context, f fetchRequest) (map[Hash]object, error) {
	request, err := r.request(f)
	if err != nil {
		return nil, err
	}
	tracked, x := newExchange(ctx, f.bound())
	defer x.finish()
	response, err := r.upload.UploadPack(tracked, request)
	if err != nil {
		return nil, classify(ctx, x, err)
	}
	found, err := objects(request, response)
	if err != nil {
		return nil, classify(ctx, x, err)
	}
	return found, nil
}

func (r *httpRemote) push(ctx context.Context, old, id Hash, pack []byte, sending func() error) (report, error) {
	endpoint, auth := *r.endpoint, r.auth()
	if configured, err := r.newEndpoint(); err != nil || !sameOrigin(configured, &endpoint) {
		auth = nil // credentials are for the server that was configured
	}
	session, err := r.client.NewReceivePackSession(&endpoint, auth)
	if err != nil {
		return report{}, err
	}
	var text textBuffer
	request, err := r.update(r.target.Branch, old, id, &text)
	if err != nil {
		return report{}, err
	}
	request.Packfile = io.NopCloser(bytes.NewReader(pack))
	tracked, x := newExchange(ctx, maxPushBytes)
	x.sending = sending
	defer x.finish()
	status, err := session.ReceivePack(tracked, request)
	if status == nil {
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		err = classify(ctx, x, err)
		if said := text.String(); said != "" && ctx.Err() == nil {
			err = fmt.Errorf("%w\n%s", err, said)
		}
		// A status above these may be a gateway's that has handed the push on.
		if x.status >= http.StatusMultipleChoices && x.status < http.StatusInternalServerError {
			err = &turnedAwayError{err}
		}
		return report{}, err
	}
	return newReport(status, r.target.Branch, text.String())
}

// sameOrigin tells whether a redirect has stayed on the server.
func sameOrigin(a, b *transport.Endpoint) bool {
	return a.Protocol == b.Protocol && a.Host == b.Host && a.Port == b.Port
}

func (r *httpRemote) close() { r.base().CloseIdleConnections() }
