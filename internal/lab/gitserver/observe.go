package gitserver

import (
	"io"
	"net/http"
	"strings"
	"sync"
)

// Observed tells of each request that a handler answers, one call at a time.
func Observed(next http.Handler, observe func(Exchange)) http.Handler {
	var turn sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := &countingBody{ReadCloser: r.Body}
		r.Body = body
		counting := &countingWriter{ResponseWriter: w}
		defer func() {
			turn.Lock()
			defer turn.Unlock()
			observe(Exchange{
				Method: r.Method, Path: r.URL.Path, Service: service(r),
				BytesIn: body.n, BytesOut: counting.n, Status: counting.status,
			})
		}()
		next.ServeHTTP(counting, r)
	})
}

func service(r *http.Request) string {
	name := r.URL.Query().Get("service")
	if name == "" {
		name = r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	}
	if name == "git-upload-pack" || name == "git-receive-pack" {
		return name
	}
	return ""
}

type countingBody struct {
	io.ReadCloser
	n int64
}

func (b *countingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n += int64(n)
	return n, err
}

type countingWriter struct {
	http.ResponseWriter
	n      int64
	status int
}

func (w *countingWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *countingWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.n += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach Flush and Hijack.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
