package wire

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"golang.org/x/crypto/ssh"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"
)

// SSHLogin is where and as whom to log in.
type SSHLogin struct {
	User, Host, Port, Path string
	Signer                 ssh.Signer
	Keys                   HostKeys
}

// sshRemote is a server over SSH: one connection, and on it one channel for every round. go-git's own SSH transport is not used,
// because it does not end with a context, reads ~/.ssh/config, and logs in again for every round.
type sshRemote struct {
	capabilities
	server Server
	client *ssh.Client // nil: not connected
	idle   *time.Timer
}

func newSSHRemote(s Server) *sshRemote { return &sshRemote{server: s} }

// connect logs in if there is no connection.
func (r *sshRemote) connect(ctx context.Context) error {
	if r.idle != nil && !r.idle.Stop() {
		r.client = nil // closed, or about to be
	}
	r.idle = nil
	if r.client != nil {
		return nil
	}
	t := r.server.SSH
	address := net.JoinHostPort(t.Host, t.Port)
	connection, err := (&net.Dialer{Timeout: handshakeTimeout}).DialContext(ctx, "tcp", address)
	if err != nil {
		return sshError(ctx, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = connection.Close() })
	defer stop()
	_ = connection.SetDeadline(time.Now().Add(handshakeTimeout))
	established, channels, requests, err := ssh.NewClientConn(connection, address, &ssh.ClientConfig{
		User:              t.User,
		Auth:              []ssh.AuthMethod{ssh.PublicKeys(t.Signer)},
		HostKeyCallback:   t.Keys.check,
		HostKeyAlgorithms: t.Keys.algorithms(),
		ClientVersion:     "SSH-2.0-" + strings.Join(strings.Fields(r.server.UserAgent), "_"),
	})
	if err != nil {
		_ = connection.Close()
		if negotiation := (*ssh.AlgorithmNegotiationError)(nil); errors.As(err, &negotiation) && strings.Contains(err.Error(), "host key") {
			return fmt.Errorf("%w: %w", &UnknownHostKeyError{Host: address, Mismatch: true}, err)
		}
		return sshError(ctx, err)
	}
	_ = connection.SetDeadline(time.Time{})
	r.client = ssh.NewClient(established, channels, requests)
	return nil
}

// sshError tells apart what a connection can fail of.
func sshError(ctx context.Context, err error) error {
	var unknown *UnknownHostKeyError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &unknown):
		return err
	case strings.Contains(err.Error(), "unable to authenticate"): // the library has no type for it
		return fmt.Errorf("%w: %w", ErrAuth, err)
	case errors.As(err, new(*ssh.AlgorithmNegotiationError)):
		return err
	}
	return connectionError(err)
}

// sshReadBytes are read from a channel at once.
const sshReadBytes = 32 << 10

// channel is one run of a Git service on the server.
type channel struct {
	*exchange
	session *ssh.Session
	stdin   io.WriteCloser
	stdout  io.Reader
	stderr  lockedText

	advertisement bool // has come
}

// lockedText is a textBuffer that the SSH library writes to from a goroutine of its own.
type lockedText struct {
	mu   sync.Mutex
	text textBuffer
}

func (b *lockedText) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedText) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// lastWords is how long a failing service may take to say why.
const lastWords = 5 * time.Second

// run starts a service, talks to it, and leaves the connection open for a while. Any failure closes the connection.
func (r *sshRemote) run(ctx context.Context, service string, talk func(*channel) error) error {
	if err := r.connect(ctx); err != nil {
		return err
	}
	client := r.client
	stop := context.AfterFunc(ctx, func() { _ = client.Close() })
	err := r.open(ctx, service, talk)
	if !stop() || err != nil {
		_ = client.Close()
		r.client = nil
		return err
	}
	r.idle = time.AfterFunc(idleConnTimeout, func() { _ = client.Close() })
	return nil
}

func (r *sshRemote) open(ctx context.Context, service string, talk func(*channel) error) error {
	session, err := r.client.NewSession()
	if err != nil {
		return sshError(ctx, err)
	}
	defer func() { _ = session.Close() }()
	c := &channel{exchange: &exchange{}, session: session}
	session.Stderr = &c.stderr
	if c.stdin, err = session.StdinPipe(); err != nil {
		return sshError(ctx, err)
	}
	stdout, err := session.StdoutPipe()
	if err != nil {
		return sshError(ctx, err)
	}
	// Each read of a channel sends a packet, and the decoders read a few bytes at a time.
	body := &cappedBody{ReadCloser: io.NopCloser(bufio.NewReaderSize(stdout, sshReadBytes)), exchange: c.exchange, limit: advertBound, left: advertBound.Most}
	c.stdout, c.bodies = body, []*cappedBody{body}
	if err := session.Start(service + " " + quote(r.server.SSH.Path)); err != nil {
		return sshError(ctx, err)
	}
	err = talk(c)
	if err == nil {
		return nil
	}
	_ = c.stdin.Close()
	ended := make(chan error, 1)
	go func() { ended <- session.Wait() }() // ends with the connection at the latest, which a failure closes
	timer := time.NewTimer(lastWords)
	defer timer.Stop()
	var end error
	select {
	case end = <-ended:
	case <-timer.C:
	case <-ctx.Done():
	}
	return c.classify(ctx, err, errors.As(end, new(*ssh.ExitError)))
}

// classify turns what talking to a service failed of into an error that tells what to do about it. gone: the service has ended by itself,
// and says that it has failed.
func (c *channel) classify(ctx context.Context, err error, gone bool) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	said := c.stderr.String()
	if refusal := c.refusal(); refusal != "" {
		said = refusal
	}
	var limit *odb.LimitError
	lower := strings.ToLower(said)
	has := func(texts ...string) bool {
		for _, text := range texts {
			if strings.Contains(lower, text) {
				return true
			}
		}
		return false
	}
	// SSH servers have no status codes; these texts are what the usual ones say in place of an advertisement.
	switch {
	case errors.Is(err, ErrEmptyRepository), errors.Is(err, ErrBranchNotFound), errors.As(err, new(*ObjectFormatError)):
		return err
	case errors.As(err, &limit):
		return limit
	case has("not found", "does not appear to be a git repository", "does not exist", "could not be found", "cannot find repository"):
		return fmt.Errorf("%w: %s", ErrRepositoryNotFound, said)
	case has("permission", "denied", "not allowed", "read only", "read-only", "unauthorized"):
		return fmt.Errorf("%w: %s", ErrAuth, said)
	case c.refusal() != "" || has("not our ref", "not supported"):
		return &RefusedError{said}
	case gone && said != "" && !c.advertisement && !beginsPacket(c.head) && !has("internal", "unavailable", "try again", "timeout", "timed out"):
		return &DeniedError{said}
	case c.err != nil:
		return connectionError(c.err)
	case said != "" && !beginsPacket(c.head):
		return &ProtocolError{errors.New(said)}
	case said != "":
		return &ProtocolError{fmt.Errorf("%w: %s", err, said)}
	}
	return &ProtocolError{err}
}

// advertised reads the references that every service begins with.
func (c *channel) advertised() (*packp.AdvRefs, error) {
	advert := packp.NewAdvRefs()
	err := advert.Decode(c.stdout)
	if err := c.checkFormat(); err != nil {
		return nil, err
	}
	if err != nil {
		if errors.Is(err, packp.ErrEmptyAdvRefs) {
			return nil, ErrEmptyRepository
		}
		return nil, err
	}
	c.advertisement = true
	return advert, nil
}

// beginsPacket reports whether a service's output begins as the Git protocol does. Some that refuse print an empty line.
func beginsPacket(head []byte) bool {
	if len(head) < 4 {
		return false
	}
	_, err := strconv.ParseUint(string(head[:4]), 16, 16)
	return err == nil
}

func (r *sshRemote) Tip(ctx context.Context) (where Place, err error) {
	err = r.run(ctx, "git-upload-pack", func(c *channel) error {
		advert, err := c.advertised()
		if err != nil {
			return err
		}
		if advert.IsEmpty() {
			return ErrEmptyRepository
		}
		where, err = r.learn(advert, c.offersMultiACK(), r.server)
		return errors.Join(err, pktline.NewEncoder(c.stdin).Flush())
	})
	if errors.Is(err, ErrEmptyRepository) {
		return emptyRepository(r.server)
	}
	return where, err
}

func (r *sshRemote) Fetch(ctx context.Context, f FetchRequest) (found map[odb.Hash]odb.Object, err error) {
	request, err := r.request(f)
	if err != nil {
		return nil, err
	}
	err = r.run(ctx, "git-upload-pack", func(c *channel) error {
		if _, err := c.advertised(); err != nil {
			return err
		}
		c.head = nil // of the answer from here on
		c.allow(preambleBound)
		var body bytes.Buffer
		if err := errors.Join(request.UploadRequest.Encode(&body), request.UploadHaves.Encode(&body, false), pktline.NewEncoder(&body).EncodeString("done\n")); err != nil {
			return err
		}
		// A server that refuses the request may have gone before it has read all of it: its answer tells more than the broken pipe.
		_, sendErr := c.stdin.Write(body.Bytes())
		response := packp.NewUploadPackResponse(request)
		err := response.Decode(io.NopCloser(c.stdout))
		if err == nil {
			c.allow(f.bound())
			found, err = objects(ctx, request, response, f)
		}
		if err != nil && sendErr != nil {
			return errors.Join(sendErr, err)
		}
		return err
	})
	return found, err
}

func (r *sshRemote) Push(ctx context.Context, old, id odb.Hash, pack []byte, sending func() error) (answer Report, err error) {
	var text textBuffer
	request, err := r.update(r.server, old, id, &text)
	if err != nil {
		return Report{}, err
	}
	err = r.run(ctx, "git-receive-pack", func(c *channel) error {
		advert, err := c.advertised()
		if err != nil {
			return err
		}
		c.head = nil
		c.allow(pushBound)
		if !advert.Capabilities.Supports(capability.Sideband64k) {
			request.Capabilities.Delete(capability.Sideband64k)
		}
		request.Packfile = io.NopCloser(bytes.NewReader(pack))
		if err := sending(); err != nil {
			return err
		}
		if err := errors.Join(request.Encode(c.stdin), c.stdin.Close()); err != nil {
			return err
		}
		body := c.stdout
		if request.Capabilities.Supports(capability.Sideband64k) {
			demuxer := sideband.NewDemuxer(sideband.Sideband64k, body)
			demuxer.Progress = &text
			body = demuxer
		}
		status := packp.NewReportStatus()
		if err := status.Decode(&cappedBody{ReadCloser: io.NopCloser(body), exchange: &exchange{}, limit: reportBound, left: reportBound.Most}); err != nil {
			return err
		}
		answer, err = newReport(status, r.server.Branch, strings.TrimSpace(text.String()+"\n"+c.stderr.String()))
		return err
	})
	return answer, err
}

// quote is for the shell that a server may hand the command to.
func quote(path string) string { return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'" }
