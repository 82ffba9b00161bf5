package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"
)

// httpRemote is a server over smart HTTP, through go-git's sessions.
type httpRemote struct {
	capabilities
	server Server
	base   func() *http.Transport // made at the first request
	client transport.Transport

	// upload is used for every fetch: go-git keeps where a redirect of the discovery led to in its endpoint.
	upload   transport.UploadPackSession
	endpoint *transport.Endpoint

	empty bool // the repository has no commit
}

// HTTPLogin holds a user and a password, or a token, or nothing.
type HTTPLogin struct {
	Username, Password, BearerToken string
	// Source, if not nil, has the password of each request.
	Source func(context.Context) (string, error)
	// Certificate that is shown to a server which asks for one; nil: none.
	Certificate *tls.Certificate
	// certificateAuthority holds PEM certificates that are trusted besides the system's.
	CertificateAuthority string
}

// anonymous: requests go without credentials.
func (l HTTPLogin) anonymous() bool {
	return l.Password == "" && l.BearerToken == "" && l.Source == nil
}

// none: nothing is there to log in with.
func (l HTTPLogin) none() bool { return l.anonymous() && l.Certificate == nil }

// certificate is asked for when a server wants one. It is shown also where the server names other authorities, as git does: that the
// server refuses it tells more than that there is none.
func (l HTTPLogin) certificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	if l.Certificate == nil {
		return &tls.Certificate{}, nil
	}
	return l.Certificate, nil
}

// roots are the certificate authorities to trust; nil: the system's.
func (l HTTPLogin) roots() *x509.CertPool {
	if l.CertificateAuthority == "" {
		return nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a system without any
	}
	pool.AppendCertsFromPEM([]byte(l.CertificateAuthority))
	return pool
}

func newHTTPRemote(s Server) *httpRemote {
	base := sync.OnceValue(func() *http.Transport { return newTransport(s.HTTP) })
	// Some servers tell Git clients from browsers by how the user agent begins.
	tripper := &roundTripper{server: s, base: base, userAgent: "git/2.0 (" + s.UserAgent + ")"}
	return &httpRemote{server: s, base: base, client: githttp.NewClient(&http.Client{Transport: tripper, CheckRedirect: s.checkRedirect})}
}

func (r *httpRemote) newEndpoint() (*transport.Endpoint, error) {
	endpoint, err := transport.NewEndpoint(r.server.Endpoint.String())
	if err != nil {
		return nil, err
	}
	endpoint.Path = r.server.Endpoint.EscapedPath() // go-git takes the escapes out, and writes what is left into the URL of each request
	return endpoint, nil
}

func (r *httpRemote) auth() transport.AuthMethod {
	switch login := r.server.HTTP; {
	case login.BearerToken != "":
		return &githttp.TokenAuth{Token: login.BearerToken}
	case login.Password != "":
		return &githttp.BasicAuth{Username: login.Username, Password: login.Password}
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

func (r *httpRemote) exchange(ctx context.Context, limit odb.Bound) (context.Context, *exchange) {
	tracked, x := newExchange(ctx, limit)
	x.server = &r.server
	return tracked, x
}

func (r *httpRemote) Tip(ctx context.Context) (Place, error) {
	if r.upload == nil {
		if err := r.connect(); err != nil {
			return Place{}, err
		}
	}
	tracked, x := r.exchange(ctx, advertBound)
	defer x.finish()
	advert, err := r.upload.AdvertisedReferencesContext(tracked)
	if err != nil {
		err = classify(ctx, x, err)
		if errors.Is(err, ErrEmptyRepository) {
			r.empty = true
			return emptyRepository(r.server)
		}
		// A redirect that led nowhere must not stick.
		return Place{}, errors.Join(err, r.connect())
	}
	if err := x.checkFormat(); err != nil {
		return Place{}, err
	}
	r.empty = false
	// go-git has written the path of the place that answered, without its escapes.
	if path, found := strings.CutSuffix(x.asked.EscapedPath(), infoRefs); found {
		r.endpoint.Path = path
	}
	if to := x.asked; r.server.Moved != nil && r.server.renamed(to) {
		r.server.Moved(r.server.redirected(to).URL)
	}
	return r.learn(advert, x.offersMultiACK(), r.server)
}

func (r *httpRemote) Fetch(ctx context.Context, f FetchRequest) (map[odb.Hash]odb.Object, error) {
	request, err := r.request(f)
	if err != nil {
		return nil, err
	}
	tracked, x := r.exchange(ctx, preambleBound)
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

// checkFormat asks an empty repository for its object format: only where it is pushed to does it tell.
func (r *httpRemote) checkFormat(ctx context.Context, endpoint transport.Endpoint) error {
	session, err := r.client.NewReceivePackSession(&endpoint, r.auth())
	if err != nil {
		return err
	}
	tracked, x := r.exchange(ctx, advertBound)
	defer x.finish()
	_, _ = session.AdvertisedReferencesContext(tracked) // what else is wrong, the push tells
	return x.checkFormat()
}

func (r *httpRemote) Push(ctx context.Context, old, id odb.Hash, pack []byte, sending func() error) (Report, error) {
	endpoint := *r.endpoint
	if there, err := url.Parse(endpoint.String()); err != nil || !sameOrigin(r.server.Endpoint, there) {
		return Report{}, &TurnedAwayError{r.server.redirected(there)}
	}
	if r.empty {
		if err := r.checkFormat(ctx, endpoint); err != nil {
			return Report{}, &TurnedAwayError{err}
		}
		r.empty = false
	}
	session, err := r.client.NewReceivePackSession(&endpoint, r.auth())
	if err != nil {
		return Report{}, err
	}
	var text textBuffer
	request, err := r.update(r.server, old, id, &text)
	if err != nil {
		return Report{}, err
	}
	request.Packfile = io.NopCloser(bytes.NewReader(pack))
	tracked, x := r.exchange(ctx, pushBound)
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
			err = &TurnedAwayError{err}
		}
		return Report{}, err
	}
	return newReport(status, r.server.Branch, text.String())
}
