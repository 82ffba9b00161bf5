package gitserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/textproto"
	"os/exec"
	"strconv"
	"strings"
)

// backend runs one `git http-backend` as RFC 3875 says. net/http/cgi does not let go of a child that outlives its request,
// and Close has to end those.
func (s *Server) backend(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		panic(http.ErrAbortHandler)
	}
	defer s.children.Done()
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.git, "http-backend")
	endGroup(cmd)
	cmd.Dir = s.options.Dir
	cmd.Env = append(s.environment(), cgiEnvironment(r)...)
	if username, _, ok := r.BasicAuth(); ok {
		cmd.Env = append(cmd.Env, "REMOTE_USER="+username)
	}
	cmd.Env = append(cmd.Env, "GIT_PROJECT_ROOT="+s.options.Dir, "GIT_HTTP_EXPORT_ALL=1")

	stdin, err := cmd.StdinPipe()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if err := cmd.Start(); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		body := &failingBody{Reader: r.Body}
		_, _ = io.Copy(stdin, body)
		_ = stdin.Close()
		if body.failed { // git http-backend would wait for the rest for ever
			cancel()
		}
	}()
	copied := answer(w, stdout)
	// A client that went away leaves the child to SIGPIPE, as a real server does.
	_ = stdout.Close()
	failed := cmd.Wait()
	<-sent
	if copied != nil || ctx.Err() != nil && failed != nil {
		panic(http.ErrAbortHandler)
	}
}

// failingBody remembers that a request was cut off.
type failingBody struct {
	io.Reader
	failed bool
}

func (b *failingBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.failed = b.failed || err != nil && !errors.Is(err, io.EOF)
	return n, err
}

// answer turns the CGI response into an HTTP response.
func answer(w http.ResponseWriter, stdout io.Reader) error {
	reader := bufio.NewReader(stdout)
	header, err := textproto.NewReader(reader).ReadMIMEHeader()
	if err != nil {
		http.Error(w, fmt.Sprintf("git http-backend: %v", err), http.StatusInternalServerError)
		return nil
	}
	status := http.StatusOK
	if line := header.Get("Status"); line != "" {
		code, _, _ := strings.Cut(line, " ")
		if status, err = strconv.Atoi(code); err != nil {
			return err
		}
		header.Del("Status")
	}
	maps.Copy(w.Header(), header)
	w.WriteHeader(status)
	_, err = io.Copy(w, reader)
	return err
}

// cgiEnvironment holds the request's own variables. Without a length the body is read to its end.
func cgiEnvironment(r *http.Request) []string {
	env := []string{
		"GATEWAY_INTERFACE=CGI/1.1",
		"SERVER_PROTOCOL=" + r.Proto,
		"REQUEST_METHOD=" + r.Method,
		"PATH_INFO=" + r.URL.Path,
		"QUERY_STRING=" + r.URL.RawQuery,
		"CONTENT_TYPE=" + r.Header.Get("Content-Type"),
		"REMOTE_ADDR=" + r.RemoteAddr,
	}
	if r.ContentLength >= 0 {
		env = append(env, "CONTENT_LENGTH="+strconv.FormatInt(r.ContentLength, 10))
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" {
		env = append(env, "HTTP_CONTENT_ENCODING="+encoding)
	}
	if protocol := r.Header.Get("Git-Protocol"); protocol != "" {
		env = append(env, "GIT_PROTOCOL="+protocol, "HTTP_GIT_PROTOCOL="+protocol)
	}
	return env
}
