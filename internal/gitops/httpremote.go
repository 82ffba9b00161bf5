package gitops

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
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
	return &httpRemote{target: t, base: base, client: githttp.NewClient(&http.Client{Transport: tripper, CheckRedirect: t.checkRedirect})}
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
	tracked, x := newExchange(ctx, advertBound)
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
	if err := x.checkFormat(); err != nil {
		return place{}, err
	}
	return r.learn(advert, x.offersMultiACK(), r.target)
}

func (r *httpRemote) fetch(ctx context.Context, f fetchRequest) (map[Hash]object, error) {
	request, err := r.request(f)
	if err != nil {
		return nil, err
	}
	tracked, x := newExchange(ctx, preambleBound)
	defer x.finish()
	response, err := r.upload.UploadPack(tracked, request)
	if err != nil {
		return nil, classify(ctx, x, err)
	}
	x.allow(f.bound())
	found, err := objects(ctx, request, response, f)
	if err != nil {
		return nil, classify(ctx, x, err)
	}
	return found, nil
}

func (r *httpRemote) push(ctx context.Context, old, id Hash, pack []byte, sending func() error) (report, error) {
	endpoint := *r.endpoint
	if there, err := url.Parse(endpoint.String()); err != nil || !sameOrigin(r.target.endpoint, there) {
		return report{}, &turnedAwayError{r.target.redirected(there)}
	}
	session, err := r.client.NewReceivePackSession(&endpoint, r.auth())
	if err != nil {
		return report{}, err
	}
	var text textBuffer
	request, err := r.update(r.target.Branch, old, id, &text)
	if err != nil {
		return report{}, err
	}
	request.Packfile = io.NopCloser(bytes.NewReader(pack))
	tracked, x := newExchange(ctx, pushBound)
	x.sending, x.reports = sending, true
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
