package cluster

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// ourToken is what the provider sends, and that no error shows.
const ourToken = "s3cret-token-of-ours"

// hostile is an answer, or a plugin, and the error that it ends in.
type hostile struct {
	answer  func(http.ResponseWriter, *http.Request)
	config  func(t *testing.T, c *Config) // beside or instead of an answer
	verb    func(context.Context, *Cluster) error
	want    func(error) bool
	seconds int // until the context ends; 0: it ends before, by itself
	text    string
}

// is tells an error by its type.
func is[E error]() func(error) bool {
	return func(err error) bool { return errors.As(err, new(E)) && !errors.Is(err, context.DeadlineExceeded) }
}

// timeUp is an error of a request that its context has ended.
func timeUp(err error) bool {
	var unreachable *UnreachableError
	return errors.As(err, &unreachable) || errors.Is(err, context.DeadlineExceeded)
}

func none(err error) bool { return err == nil }

func get(ctx context.Context, c *Cluster) error {
	_, err := c.Get(ctx, configMap)
	return err
}

func list(ctx context.Context, c *Cluster) error {
	_, err := c.List(ctx, configMap.Resource, "n")
	return err
}

func apply(ctx context.Context, c *Cluster) error {
	_, err := c.Apply(ctx, configMap, aConfigMap("mine"), Manager{Name: "m"})
	return err
}

func aConfigMap(uid string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "c", "namespace": "n", "uid": uid}, "data": map[string]any{"kubeconfig": "s"},
	}}
}

func remove(ctx context.Context, c *Cluster) error {
	return c.Delete(ctx, configMap, aConfigMap("mine"))
}

func watched(ctx context.Context, c *Cluster) error {
	return c.Wait(ctx, configMap, func(obj *unstructured.Unstructured) (bool, error) { return obj != nil && obj.GetName() != "c", nil })
}

func says(status int, kind, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		if kind != "" {
			w.Header().Set("Content-Type", kind)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func inJSON(body string) func(http.ResponseWriter, *http.Request) {
	return says(http.StatusOK, "application/json", body)
}

func httpStatus(code int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { statusOf(code, "", "", "")(w, nil) }
}

// statusOf is a Status as an API server sends it.
func statusOf(code int, reason, message, more string) func(http.ResponseWriter, *http.Request) {
	return says(code, "application/json", fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":%q,"message":%s,"code":%d%s}`, reason, quoted(message), code, more))
}

// quoted is a string of JSON, whatever is in it.
func quoted(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		fmt.Fprintf(&b, `\u%04x`, r)
	}
	return b.String() + `"`
}

func to(status int, location string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		w.WriteHeader(status)
	}
}

// after answers with a header that says when to come back.
func after(value string, answer func(http.ResponseWriter, *http.Request)) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", value)
		answer(w, r)
	}
}

// zipped answers with a stream of bytes that are small before their decompression.
func zipped(begin, again, end string, times int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(w)
		_, _ = io.WriteString(zip, begin)
		for range times {
			if _, err := io.WriteString(zip, again); err != nil {
				return
			}
		}
		_, _ = io.WriteString(zip, end)
		_ = zip.Close()
	}
}

// endless sends the same until nobody reads it.
func endless(begin, again string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		if w.Header().Get("Content-Type") == "" {
			w.Header().Set("Content-Type", "application/json")
		}
		_, _ = io.WriteString(w, begin)
		for {
			if _, err := io.WriteString(w, again); err != nil {
				return
			}
		}
	}
}

// hang does not go on until the client has left.
func hang(w http.ResponseWriter, r *http.Request) {
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func inOrder(answers ...func(http.ResponseWriter, *http.Request)) func(http.ResponseWriter, *http.Request) {
	var n atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		answers[min(int(n.Add(1)), len(answers))-1](w, r)
	}
}

// watches answers a list with no objects, and a watch with what is given.
func watches(stream func(http.ResponseWriter, *http.Request)) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("watch") == "" {
			inJSON(`{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}`)(w, r)
			return
		}
		stream(w, r)
	}
}

const (
	anEvent   = `{"type":"ADDED","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"c","namespace":"n"},"data":{"a":"`
	aBookmark = `{"type":"BOOKMARK","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"2"}}}`
	login     = "<html><title>Log in</title>\x1b[2J\x1b]0;owned\x07"
)

var kilobytes = strings.Repeat("a", 64<<10)

// hostiles are what may answer in the place of an API server.
func hostiles() map[string]hostile {
	undeclared := func(fields string) func(http.ResponseWriter, *http.Request) {
		return statusOf(500, "", "failed to create typed patch object (n/a; kappctrl.k14s.io/v1alpha1, Kind=App): "+fields, "")
	}
	all := map[string]hostile{
		"field not declared": {answer: undeclared(".spec.defaultNamespace: field not declared in schema"), verb: apply, want: func(err error) bool {
			var field *UnknownFieldError
			return errors.As(err, &field) && fmt.Sprint(field.Fields) == "[.spec.defaultNamespace]" && field.Ref == configMap
		}},
		"fields not declared": {answer: undeclared("errors:\n  .spec.fetch[0].git.depth: field not declared in schema\n  .spec.a: field not declared in schema"), verb: apply, want: func(err error) bool {
			var field *UnknownFieldError
			return errors.As(err, &field) && fmt.Sprint(field.Fields) == "[.spec.fetch[0].git.depth .spec.a]"
		}},

		"login page with 200":         {answer: says(200, "text/html", login), want: is[*NotAnAPIServerError](), text: "Log in"},
		"login page with 401":         {answer: says(401, "text/html", login), want: is[*NotAnAPIServerError](), text: "status 401"},
		"login page with 403":         {answer: says(403, "text/html; charset=utf-8", login), want: is[*NotAnAPIServerError](), text: "Log in"},
		"login page with 404":         {answer: says(404, "text/html", login), want: is[*NotAnAPIServerError]()},
		"login page for a delete":     {answer: says(200, "text/html", login), verb: remove, want: is[*NotAnAPIServerError]()},
		"login page for an apply":     {answer: says(200, "text/html", login), verb: apply, want: is[*NotAnAPIServerError]()},
		"login page for a watch":      {answer: watches(says(200, "text/html", login)), verb: watched, want: is[*NotAnAPIServerError]()},
		"error page with 502":         {answer: says(502, "text/html", login), want: func(err error) bool { return is502(err) && timeUp(err) }, seconds: 2},
		"empty 403":                   {answer: says(403, "", ""), want: is[*NotAnAPIServerError](), text: "no content type"},
		"empty 200":                   {answer: inJSON(""), want: is[*NotAnAPIServerError](), text: "status 200"},
		"empty 200 without a type":    {answer: says(200, "", ""), want: is[*NotAnAPIServerError]()},
		"wrong type":                  {answer: says(200, "application/x-protobuf", "k8s\x00"), want: is[*NotAnAPIServerError]()},
		"type that is none":           {answer: says(200, "\u009b31m;;;", "x"), want: is[*NotAnAPIServerError]()},
		"no JSON":                     {answer: inJSON("garbage\x1b[2J"), want: is[*NotAnAPIServerError]()},
		"no object":                   {answer: inJSON(`[1,2]`), want: is[*NotAnAPIServerError]()},
		"null":                        {answer: inJSON(`null`), want: is[*NotAnAPIServerError]()},
		"JSON with a secret, no kind": {answer: inJSON(`{"data":{"token":"` + pluginSecret + `"}}`), want: is[*NotAnAPIServerError]()},
		"deeply nested":               {answer: endless("", strings.Repeat(`{"a":`, 10_000)), want: is[*LimitError]()},
		"nested deeper than a stack":  {answer: inJSON(strings.Repeat(`{"a":`, 20_000)), want: is[*NotAnAPIServerError]()},
		"cut in two":                  {answer: inJSON(`{"kind":"ConfigMap","metadata":{"na`), want: is[*NotAnAPIServerError]()},
		"JSON of a gateway":           {answer: says(403, "application/json", `{"message":"Forbidden"}`), want: is[*NotAnAPIServerError](), text: "Forbidden"},

		"another name":       {answer: inJSON(`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"d","namespace":"n"}}`), want: is[*WrongAnswerError]()},
		"another namespace":  {answer: inJSON(`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"c","namespace":"\u001b[31m"}}`), want: is[*WrongAnswerError]()},
		"another kind":       {answer: inJSON(`{"kind":"Pod","apiVersion":"v1","metadata":{"name":"c","namespace":"n"}}`), verb: apply, want: is[*WrongAnswerError]()},
		"another UID":        {answer: inJSON(`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"c","namespace":"n","uid":"theirs"}}`), verb: apply, want: is[*WrongAnswerError]()},
		"no metadata":        {answer: inJSON(`{"kind":"ConfigMap","apiVersion":"v1"}`), want: is[*WrongAnswerError]()},
		"metadata of a text": {answer: inJSON(`{"kind":"ConfigMap","apiVersion":"v1","metadata":"c"}`), want: is[*WrongAnswerError]()},
		"success of nothing": {answer: inJSON(`{"kind":"Status","apiVersion":"v1","status":"Success"}`), want: is[*WrongAnswerError]()},
		"an object, no list": {answer: inJSON(`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"c","namespace":"n"}}`), verb: list, want: is[*WrongAnswerError]()},
		"list of numbers":    {answer: inJSON(`{"kind":"ConfigMapList","apiVersion":"v1","items":[1,2]}`), verb: list, want: is[*NotAnAPIServerError]()},

		"escapes in a Status": {answer: statusOf(403, "Forbidden", "no\x1b[2J\u202e\x00 you don't", ""), want: apierrors.IsForbidden, text: "you don't"},
		"token in a Status":   {answer: statusOf(403, "Forbidden", "Bearer "+ourToken+" may not", ""), want: apierrors.IsForbidden, text: "may not"},
		"token in a page":     {answer: says(200, "text/html", "you sent "+ourToken), want: is[*NotAnAPIServerError](), text: "you sent"},
		"megabytes in a Status": {answer: func(w http.ResponseWriter, r *http.Request) {
			statusOf(422, "Invalid", strings.Repeat("x", 1<<20), "")(w, r)
		}, want: apierrors.IsInvalid},
		"escapes in a conflict":    {answer: statusOf(409, "Conflict", "", `,"details":{"causes":[{"reason":"FieldManagerConflict","message":"conflict with \"\u001b[31mx\"","field":".a\u001b"}]}`), verb: apply, want: is[*ConflictError]()},
		"thousands of conflicts":   {answer: statusOf(409, "Conflict", "", `,"details":{"causes":[`+strings.Repeat(`{"reason":"FieldManagerConflict","message":"m","field":".a"},`, 5000)+`{}]}`), verb: apply, want: is[*ConflictError]()},
		"Status without a code":    {answer: says(400, "application/json", `{"kind":"Status","apiVersion":"v1","status":"Failure"}`), want: is[*apierrors.StatusError]()},
		"headers without end":      {answer: func(w http.ResponseWriter, _ *http.Request) { manyHeaders(w) }, want: is[*NotAnAPIServerError]()},
		"escapes in a header":      {answer: after("soon\x01", statusOf(429, "TooManyRequests", "", "")), want: is[*NotAnAPIServerError]()},
		"warnings":                 {answer: func(w http.ResponseWriter, _ *http.Request) { warnings(w); found(w) }, want: none},
		"not found in plain words": {answer: says(404, "text/plain; charset=utf-8", "404 page not found"), want: is[*NotServedError]()},

		"gzip bomb":             {answer: zipped(`{"kind":"ConfigMap","data":{"a":"`, kilobytes, `"}}`, 1<<14), want: is[*LimitError](), text: "8388608 bytes"},
		"gzip bomb in a list":   {answer: zipped(`{"kind":"ConfigMapList","items":["`, kilobytes, `"]}`, 1<<14), verb: list, want: is[*LimitError](), text: "67108864 bytes"},
		"gzip bomb of an error": {answer: bombOf(500), want: is[*LimitError]()},
		"gzip that is none":     {answer: notZipped, want: timeUp, seconds: 2},
		"huge body":             {answer: func(w http.ResponseWriter, _ *http.Request) { huge(w, objectBytes) }, want: is[*LimitError]()},
		"huge body of a page": {answer: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			endless("", kilobytes)(w, r)
		}, want: is[*NotAnAPIServerError]()},
		"endless body":             {answer: endless(`{"a":"`, kilobytes), want: is[*LimitError]()},
		"endless body of a delete": {answer: endless(`{"a":"`, kilobytes), verb: remove, want: is[*LimitError]()},
		"endless blanks":           {answer: endless("", strings.Repeat(" ", 64<<10)), want: is[*LimitError]()},
		"a million objects in one": {answer: endless(`{"a":[`, strings.Repeat(`{},`, 10_000)), want: is[*LimitError](), text: "values"},
		"endless error": {answer: func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			endless(`{`, kilobytes)(w, r)
		}, want: is[*LimitError]()},
		"hang before the headers": {answer: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, want: timeUp, seconds: 1},
		"hang after the headers": {answer: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			hang(w, r)
		}, want: timeUp, seconds: 1},
		"hang in the body":              {answer: func(w http.ResponseWriter, r *http.Request) { inJSON(`{"kind":`)(w, r); hang(w, r) }, want: timeUp, seconds: 1},
		"hang in a page":                {answer: func(w http.ResponseWriter, r *http.Request) { says(200, "text/html", "<p>")(w, r); hang(w, r) }, want: timeUpOr[*NotAnAPIServerError], seconds: 1},
		"drip":                          {answer: drip, want: timeUp, seconds: 2},
		"reset":                         {answer: func(w http.ResponseWriter, _ *http.Request) { cut(w) }, want: timeUp, seconds: 2},
		"reset in the body":             {answer: func(w http.ResponseWriter, r *http.Request) { inJSON(`{"kind":`)(w, r); panic(http.ErrAbortHandler) }, want: timeUp, seconds: 2},
		"closed without an answer":      {answer: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, want: timeUp, seconds: 2},
		"redirect to another host":      {answer: to(302, "https://elsewhere.example.com/\u009b2J"), want: is[*RedirectError](), text: "elsewhere.example.com"},
		"redirect to plain http":        {answer: func(w http.ResponseWriter, r *http.Request) { to(307, "http://"+r.Host+"/")(w, r) }, want: is[*RedirectError](), text: "to http://"},
		"redirect to another port":      {answer: to(308, "https://127.0.0.1:1/"), want: is[*RedirectError](), text: "https://127.0.0.1:1"},
		"redirect of an apply":          {answer: to(307, "/elsewhere"), verb: apply, want: is[*RedirectError]()},
		"redirect of an apply with 303": {answer: to(303, "/elsewhere"), verb: apply, want: is[*RedirectError]()},
		"redirect of a delete":          {answer: to(301, "/elsewhere"), verb: remove, want: is[*RedirectError]()},
		"redirect in a circle":          {answer: to(302, "/again"), want: is[*RedirectError]()},
		"redirect to nowhere":           {answer: to(302, ""), want: refusedRedirect},
		"redirect to garbage":           {answer: to(302, "http://[::1"), want: is[*RedirectError]()},
		"redirect to itself, once":      {answer: inOrder(to(302, "/there"), func(w http.ResponseWriter, _ *http.Request) { found(w) }), want: none},
		"redirect of a watch":           {answer: watches(to(302, "https://elsewhere.example.com/")), verb: watched, want: is[*RedirectError]()},

		"throttled for an hour":        {answer: after("3600", statusOf(429, "TooManyRequests", "slow down", "")), want: is[*BusyError](), text: "1h0m0s"},
		"throttled for ever":           {answer: after("9223372036854775807", statusOf(429, "TooManyRequests", "", "")), want: is[*BusyError]()},
		"throttled until a date":       {answer: after("Fri, 31 Dec 2199 23:59:59 GMT", statusOf(429, "TooManyRequests", "", "")), want: is[*BusyError]()},
		"throttled in plain words":     {answer: after("3600", says(429, "text/plain", "Too many requests")), want: is[*BusyError]()},
		"throttled without a time":     {answer: statusOf(429, "TooManyRequests", "slow down", ""), want: tooMany, seconds: 2},
		"throttled with a wrong time":  {answer: after("soon", statusOf(429, "TooManyRequests", "", "")), want: tooMany, seconds: 2},
		"throttled for a minus":        {answer: after("-5", statusOf(429, "TooManyRequests", "", "")), want: tooMany, seconds: 2},
		"priority and fairness":        {answer: inOrder(after("1", statusOf(429, "TooManyRequests", "", "")), func(w http.ResponseWriter, _ *http.Request) { found(w) }), want: none},
		"unavailable for an hour":      {answer: after("3600", statusOf(503, "ServiceUnavailable", "", "")), want: is[*BusyError]()},
		"throttled watch for an hour":  {answer: watches(after("3600", statusOf(429, "TooManyRequests", "", ""))), verb: watched, want: is[*BusyError]()},
		"throttled delete for an hour": {answer: after("3600", statusOf(429, "TooManyRequests", "", "")), verb: remove, want: is[*BusyError]()},

		"watch with garbage":          {answer: watches(inJSON("garbage\x1b[2J")), verb: watched, want: is[*NotAnAPIServerError]()},
		"watch with a page":           {answer: watches(says(403, "text/html", login)), verb: watched, want: is[*NotAnAPIServerError]()},
		"watch with unknown events":   {answer: watches(inJSON(`{"type":"EXPLODED","object":{}}`)), verb: watched, want: is[*NotAnAPIServerError]()},
		"watch with objects of texts": {answer: watches(inJSON(`{"type":"ADDED","object":"\u001b[31m"}`)), verb: watched, want: is[*NotAnAPIServerError]()},
		"watch with a huge event":     {answer: watches(endless(anEvent, kilobytes)), verb: watched, want: is[*LimitError](), text: "event of a watch"},
		"watch with a zipped event":   {answer: watches(zipped(anEvent, kilobytes, `"}}}`, 1<<14)), verb: watched, want: is[*LimitError]()},
		"watch with endless blanks":   {answer: watches(endless("", strings.Repeat("\n", 64<<10))), verb: watched, want: is[*LimitError]()},
		"watch with endless brackets": {answer: watches(endless("", strings.Repeat("[", 64<<10))), verb: watched, want: is[*NotAnAPIServerError]()},
		"watch with bookmarks":        {answer: watches(endless("", aBookmark)), verb: watched, want: timeUp, seconds: 2},
		"watch of another object":     {answer: watches(endless("", strings.ReplaceAll(anEvent, `"name":"c"`, `"name":"d"`)+`"}}}`)), verb: watched, want: timeUp, seconds: 2},
		"watch that hangs":            {answer: watches(hang), verb: watched, want: timeUp, seconds: 1},
		"watch that ends at once":     {answer: watches(inJSON("")), verb: watched, want: timeUp, seconds: 2},
		"watch with an error":         {answer: watches(inJSON(`{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","code":410,"message":"\u001b[31m"}}`)), verb: watched, want: timeUp, seconds: 2},

		"plugin that hangs":               {config: plugged("hang"), want: func(err error) bool { return isPlugin(err) && timeUp(err) }, seconds: 5},
		"plugin that hangs, apply":        {config: plugged("hang"), verb: apply, want: func(err error) bool { return isPlugin(err) && timeUp(err) }, seconds: 5},
		"plugin that floods":              {config: plugged("flood"), want: func(err error) bool { return isPlugin(err) && is[*LimitError]()(err) }, text: "1048576 bytes"},
		"plugin that fails":               {config: plugged("fail"), want: is[*PluginError](), text: "log in first; I was given (PLUGIN_PASSWORD)"},
		"plugin that prints garbage":      {config: plugged("garbage"), want: is[*PluginError]()},
		"plugin that prints nothing":      {config: plugged("nothing"), want: is[*PluginError]()},
		"plugin without a kind":           {config: plugged("no kind"), want: is[*PluginError]()},
		"plugin of another version":       {config: plugged("other version"), want: is[*PluginError]()},
		"plugin without a token":          {config: plugged("no token"), want: is[*PluginError]()},
		"plugin with a key alone":         {config: plugged("half"), want: is[*PluginError]()},
		"plugin with a wrong certificate": {config: plugged("no certificate"), want: is[*PluginError]()},
		"plugin that is missing":          {config: missing("no-such-plugin"), want: is[*PluginError]()},
		"plugin of a missing path":        {config: missing("/nosuch/plugin"), want: is[*PluginError]()},

		"https to an http port":         {config: plainPort, want: is[*NotTLSError]()},
		"http to a TLS port":            {config: overHTTP, answer: inJSON(""), want: is[*NotAnAPIServerError](), text: "status 400"},
		"no TLS at all":                 {config: speaks("SSH-2.0-OpenSSH_9.6\r\n"), want: is[*NotTLSError]()},
		"no HTTP at all":                {config: speaksPlain("\x15\x03\x01\x00\x02\x02\x16\r\n"), want: is[*NotAnAPIServerError]()},
		"another certificate":           {config: func(_ *testing.T, c *Config) { c.Insecure = false }, answer: inJSON(""), want: is[*CertificateError]()},
		"client certificate demanded":   {config: demanding(tls.VersionTLS13), want: is[*ClientCertificateError]()},
		"client certificate, TLS 1.2":   {config: demanding(tls.VersionTLS12), want: is[*ClientCertificateError]()},
		"client certificate, an apply":  {config: demanding(tls.VersionTLS13), verb: apply, want: is[*ClientCertificateError]()},
		"host that is none":             {config: func(_ *testing.T, c *Config) { c.Host = "https://no-such-host.invalid" }, want: is[*UnknownHostError](), text: "no-such-host.invalid"},
		"port that refuses":             {config: func(_ *testing.T, c *Config) { c.Host = "https://127.0.0.1:1" }, want: is[*RefusedError]()},
		"proxy that is none":            {config: func(_ *testing.T, c *Config) { c.ProxyURL = "http://127.0.0.1:1" }, answer: inJSON(""), want: is[*RefusedError]()},
		"connection that nobody serves": {config: silent, want: timeUp, seconds: 1},
	}
	for code := 200; code < 600; code++ {
		if http.StatusText(code) == "" || code == http.StatusNoContent || code == http.StatusResetContent {
			continue
		}
		bare, told := hostile{answer: says(code, "", "")}, hostile{answer: statusOf(code, "", "as told\x1b[2J", "")}
		switch {
		case comesAgain(code):
			bare.want, bare.seconds, told.want, told.seconds = timeUp, 1, timeUp, 1
		case code < 300:
			bare.want, told.want = is[*NotAnAPIServerError](), func(err error) bool { return is[*WrongAnswerError]()(err) || is[*apierrors.StatusError]()(err) }
		case code == http.StatusUnauthorized:
			bare.want, told.want = apierrors.IsUnauthorized, is[*apierrors.StatusError]()
		default:
			bare.want, told.want = refusedRedirect, func(err error) bool { return err != nil && !timeUp(err) }
		}
		all[fmt.Sprintf("%d without a body", code)] = bare
		all[fmt.Sprintf("%d with a Status", code)] = told
	}
	return all
}

func is502(err error) bool {
	var notAPI *NotAnAPIServerError
	return errors.As(err, &notAPI) && notAPI.Status == http.StatusBadGateway
}

func tooMany(err error) bool { return apierrors.IsTooManyRequests(err) && timeUp(err) }

func timeUpOr[E error](err error) bool { return timeUp(err) || errors.As(err, new(E)) }

func isPlugin(err error) bool { return errors.As(err, new(*PluginError)) }

func refusedRedirect(err error) bool {
	return is[*NotAnAPIServerError]()(err) || is[*RedirectError]()(err)
}

func manyHeaders(w http.ResponseWriter) {
	for i := range 20_000 {
		w.Header().Set(fmt.Sprintf("X-%d", i), kilobytes[:1000])
	}
}

func warnings(w http.ResponseWriter) {
	for range 100 {
		w.Header().Add("Warning", `299 - "`+strings.Repeat("w", 1000)+`"`)
	}
}

func notZipped(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Encoding", "gzip")
	_, _ = io.WriteString(w, `{"kind":"ConfigMap"}`)
}

func bombOf(status int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(status)
		zip := gzip.NewWriter(w)
		for range 1 << 14 {
			if _, err := io.WriteString(zip, kilobytes); err != nil {
				return
			}
		}
	}
}

// huge answers with an object that says its length.
func huge(w http.ResponseWriter, length int) {
	w.Header().Set("Content-Type", "application/json")
	body := bytes.Repeat([]byte("a"), length)
	_, _ = fmt.Fprintf(w, `{"kind":"ConfigMap","data":{"a":"%s"}}`, body)
}

func drip(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	for control := http.NewResponseController(w); r.Context().Err() == nil; time.Sleep(20 * time.Millisecond) {
		_, _ = io.WriteString(w, " ")
		_ = control.Flush()
	}
}

func plugged(mode string) func(*testing.T, *Config) {
	return func(_ *testing.T, c *Config) {
		c.Token, c.Host = "", "https://127.0.0.1:1"
		c.Exec = behaving(mode, map[string]string{"PLUGIN_PASSWORD": pluginSecret})
	}
}

func missing(command string) func(*testing.T, *Config) {
	return func(_ *testing.T, c *Config) {
		c.Token, c.Exec = "", &Exec{APIVersion: "client.authentication.k8s.io/v1beta1", Command: command}
		c.Host = "https://127.0.0.1:1"
	}
}

func plainPort(t *testing.T, c *Config) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { found(w) }))
	t.Cleanup(server.Close)
	c.Host = strings.Replace(server.URL, "http:", "https:", 1)
}

func overHTTP(_ *testing.T, c *Config) {
	c.Host = strings.Replace(c.Host, "https:", "http:", 1)
	c.Insecure = false
}

// speaks is a server that answers anything in the same way.
func speaks(text string) func(*testing.T, *Config) {
	return func(t *testing.T, c *Config) {
		c.Host = "https://" + listening(t, func(conn net.Conn) {
			if _, err := conn.Read(make([]byte, 1)); err != nil {
				return
			}
			_, _ = io.WriteString(conn, text)
			_, _ = io.Copy(io.Discard, conn)
		})
	}
}

func speaksPlain(text string) func(*testing.T, *Config) {
	return func(t *testing.T, c *Config) {
		speaks(text)(t, c)
		overHTTP(t, c)
	}
}

func silent(t *testing.T, c *Config) {
	c.Host = "https://" + listening(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
}

func listening(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { defer conn.Close(); serve(conn) }()
		}
	}()
	return listener.Addr().String()
}

func demanding(version uint16) func(*testing.T, *Config) {
	return func(t *testing.T, c *Config) {
		server := certificateServer(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { found(w) }))
		server.TLS.MaxVersion = version
		c.Host = server.URL
	}
}

// certificateServer demands a client certificate, of whomever.
func certificateServer(t *testing.T, handler http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func clientCertificate(t *testing.T, name string) [2]string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(kind string, data []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}))
	}
	return [2]string{encode("CERTIFICATE", certificate), encode("PRIVATE KEY", private)}
}

func (h hostile) serve(t *testing.T) Config {
	t.Helper()
	config := Config{Token: ourToken, Insecure: true}
	if h.answer != nil {
		server := httptest.NewUnstartedServer(http.HandlerFunc(h.answer))
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		t.Cleanup(server.CloseClientConnections)
		t.Cleanup(server.Close)
		config.Host = server.URL
	}
	if h.config != nil {
		h.config(t, &config)
	}
	return config
}

// TestHostile: whatever answers, a request ends with its context at the latest,
// with one error that tells what it is and that can be shown.
func TestHostile(t *testing.T) {
	host, port, write := hostPatience, portPatience, grace
	t.Cleanup(func() { hostPatience, portPatience, grace = host, port, write })
	hostPatience, portPatience, grace = 500*time.Millisecond, 500*time.Millisecond, time.Second
	for name, h := range hostiles() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := h.serve(t)
			c := New("build_cluster", "test", config)
			verb := h.verb
			if verb == nil {
				verb = get
			}
			limit := 10 * time.Minute
			if h.seconds > 0 {
				limit = time.Duration(h.seconds) * time.Second
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- verb(ctx, c) }()
			var err error
			select {
			case err = <-ended:
			case <-time.After(limit + grace + 2*time.Minute):
				t.Fatal("it does not end with its context")
			}
			if !h.want(err) {
				t.Errorf("got %T: %v", err, err)
			}
			if err != nil {
				checkText(t, err.Error(), h.text)
			}
		})
	}
}

func checkText(t *testing.T, text, want string) {
	t.Helper()
	if strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }) {
		t.Errorf("it has control characters: %q", text)
	}
	if len(text) > 10_000 {
		t.Errorf("it has %d bytes: %s ...", len(text), text[:500])
	}
	if strings.Contains(text, ourToken) || strings.Contains(text, pluginSecret) {
		t.Errorf("it shows a secret: %s", text)
	}
	if !strings.Contains(text, want) {
		t.Errorf("%q does not say %q", text, want)
	}
}
