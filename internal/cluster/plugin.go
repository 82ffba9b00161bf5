package cluster

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/pkg/apis/clientauthentication"
	"k8s.io/client-go/pkg/apis/clientauthentication/install"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/connrotation"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
)

// execInfo is the environment variable that tells a credential plugin what it is
// run for.
const execInfo = "KUBERNETES_EXEC_INFO"

// PluginError: a credential plugin has given no credentials. No request was sent.
type PluginError struct {
	Cluster, Command string
	Hint             string // of the kubeconfig, on how to install it
	Err              error
}

func (e *PluginError) Error() string {
	return fmt.Sprintf("run the credential plugin %s of %s: %v", e.Command, e.Cluster, e.Err)
}
func (e *PluginError) Unwrap() error { return e.Err }

// plugin runs a credential plugin as client-go does, whose own way of running it
// knows neither a context nor an end of its output. See
// https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
type plugin struct {
	cluster string
	config  *api.ExecConfig
	version schema.GroupVersion
	info    string // for execInfo
	codecs  serializer.CodecFactory

	running chan struct{} // holds one while the plugin runs
	mu      sync.Mutex
	current *credentials
	renewed func() // another client certificate is to be used
}

type credentials struct {
	token       string
	certificate *tls.Certificate
	expires     time.Time // zero: never
}

func (c *credentials) good() bool {
	return c != nil && (c.expires.IsZero() || time.Now().Before(c.expires))
}

// pluginOf takes the plugin out of a configuration, nil if there is none, or
// other credentials, which then are used.
func pluginOf(cluster string, rc *rest.Config) (*plugin, error) {
	config := rc.ExecProvider
	if config == nil {
		return nil, nil
	}
	scheme := runtime.NewScheme()
	install.Install(scheme)
	p := &plugin{cluster: cluster, config: config, codecs: serializer.NewCodecFactory(scheme), running: make(chan struct{}, 1), renewed: func() {}}
	var err error
	if p.version, err = schema.ParseGroupVersion(config.APIVersion); err != nil || !scheme.IsVersionRegistered(p.version) || p.version.Version == runtime.APIVersionInternal {
		return nil, fmt.Errorf("exec: unknown api_version %q", config.APIVersion)
	}
	about := &clientauthentication.ExecCredential{}
	if config.ProvideClusterInfo {
		if about.Spec.Cluster, err = rest.ConfigToExecCluster(rc); err != nil {
			return nil, err
		}
	}
	info, err := runtime.Encode(p.codecs.LegacyCodec(p.version), about)
	if err != nil {
		return nil, err
	}
	p.info = string(info)
	rc.ExecProvider = nil
	if rc.BearerToken != "" || rc.BearerTokenFile != "" || rc.Username != "" || rc.CertFile != "" || len(rc.CertData) > 0 {
		return nil, nil
	}
	rc.Wrap(func(next http.RoundTripper) http.RoundTripper { return &authenticated{next, p} })
	return p, nil
}

// transport is client-go's, but that the client certificate is the plugin's.
func (p *plugin) transport(rc *rest.Config) (http.RoundTripper, error) {
	config, err := rest.TLSConfigFor(rc)
	if err != nil {
		return nil, err
	}
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.current == nil || p.current.certificate == nil {
			return &tls.Certificate{}, nil // none
		}
		return p.current.certificate, nil
	}
	dialer := connrotation.NewDialer((&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext)
	p.renewed = dialer.CloseAll
	proxy := http.ProxyFromEnvironment
	if rc.Proxy != nil {
		proxy = rc.Proxy
	}
	return rest.HTTPWrappersForConfig(rc, utilnet.SetTransportDefaults(&http.Transport{
		Proxy: proxy, TLSClientConfig: config, DialContext: dialer.DialContext, DisableCompression: rc.DisableCompression,
		TLSHandshakeTimeout: 10 * time.Second, MaxIdleConnsPerHost: 25,
	}))
}

// authenticated gives requests the plugin's credentials.
type authenticated struct {
	http.RoundTripper
	plugin *plugin
}

func (a *authenticated) RoundTrip(r *http.Request) (*http.Response, error) {
	got, err := a.plugin.credentials(exchangeOf(r.Context()).caller)
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	if got.token != "" {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+got.token)
	}
	answer, err := a.RoundTripper.RoundTrip(r)
	if err == nil && answer.StatusCode == http.StatusUnauthorized {
		a.plugin.refused(got)
	}
	return answer, err
}

// refused has the plugin run again for the next request, unless it has by then.
func (p *plugin) refused(c *credentials) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == c {
		refused := *c
		refused.expires = time.Unix(0, 0)
		p.current = &refused // its certificate tells whether the next one is another
	}
}

func (p *plugin) known() *credentials {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current
}

// credentials are those that are known, or else the plugin's. It runs once at a
// time.
func (p *plugin) credentials(ctx context.Context) (*credentials, error) {
	if known := p.known(); known.good() {
		return known, nil
	}
	select {
	case p.running <- struct{}{}:
		defer func() { <-p.running }()
	case <-ctx.Done():
		return nil, p.failed(ctx.Err())
	}
	before := p.known()
	if before.good() {
		return before, nil
	}
	got, err := p.run(ctx)
	if err != nil {
		return nil, p.failed(err)
	}
	p.mu.Lock()
	p.current = got
	p.mu.Unlock()
	if before != nil && !reflect.DeepEqual(before.certificate, got.certificate) {
		p.renewed()
	}
	return got, nil
}

func (p *plugin) failed(err error) error {
	e := &PluginError{Cluster: p.cluster, Command: p.config.Command, Err: err}
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		e.Hint = printable.Text(p.config.InstallHint, printable.Most)
	}
	return e
}

func (p *plugin) run(ctx context.Context) (*credentials, error) {
	if p.config.InteractiveMode == api.AlwaysExecInteractiveMode {
		return nil, errors.New("it needs a terminal (interactiveMode: Always), and a provider has none")
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	stdout := &output{most: pluginOutput, full: func() {
		stop(&LimitError{Cluster: p.cluster, What: "the output of a credential plugin", Most: pluginOutput, Unit: "bytes"})
	}}
	stderr := &output{most: pluginWords, full: func() {}}
	cmd := exec.CommandContext(ctx, p.config.Command, p.config.Args...)
	cmd.Env = os.Environ()
	for _, variable := range p.config.Env {
		cmd.Env = append(cmd.Env, variable.Name+"="+variable.Value)
	}
	cmd.Env = append(cmd.Env, execInfo+"="+p.info)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.WaitDelay = pluginPipes
	ofItsOwn(cmd)
	err := cmd.Run()
	switch ended := new(exec.ExitError); {
	case context.Cause(ctx) != nil:
		return nil, context.Cause(ctx)
	case errors.As(err, &ended):
		return nil, fmt.Errorf("%w%s", err, p.words(stderr))
	case err != nil && !errors.Is(err, exec.ErrWaitDelay): // which is that a process it left behind holds its output
		return nil, err
	}
	return p.decode(stdout.data.Bytes())
}

// words are what the plugin has said, without what it was given.
func (p *plugin) words(stderr *output) string {
	text := stderr.data.String()
	for _, variable := range p.config.Env {
		if variable.Value != "" {
			text = strings.ReplaceAll(text, variable.Value, "("+variable.Name+")")
		}
	}
	if text = strings.TrimSpace(printable.Text(text, printable.Most)); text == "" {
		return ""
	}
	return "; it says:\n" + text
}

// decode reads what a plugin has printed, which is in no error.
func (p *plugin) decode(data []byte) (*credentials, error) {
	cred := &clientauthentication.ExecCredential{}
	_, kind, err := p.codecs.UniversalDecoder(p.version).Decode(data, nil, cred)
	if err != nil {
		return nil, fmt.Errorf("it printed %d bytes that are no ExecCredential of %s", len(data), p.version)
	}
	if kind.GroupVersion() != p.version {
		return nil, fmt.Errorf("it printed an ExecCredential of %s, not of %s", printable.Line(kind.GroupVersion().String(), printable.Name), p.version)
	}
	status := cred.Status
	switch {
	case status == nil || status.Token == "" && status.ClientCertificateData == "" && status.ClientKeyData == "":
		return nil, errors.New("its ExecCredential has neither a token nor a client certificate")
	case (status.ClientCertificateData == "") != (status.ClientKeyData == ""):
		return nil, errors.New("its ExecCredential has a client certificate without its key, or a key alone")
	}
	got := &credentials{token: status.Token}
	if status.ExpirationTimestamp != nil {
		got.expires = status.ExpirationTimestamp.Time
	}
	if status.ClientCertificateData == "" {
		return got, nil
	}
	pair, err := tls.X509KeyPair([]byte(status.ClientCertificateData), []byte(status.ClientKeyData))
	if err != nil {
		return nil, errors.New("its ExecCredential has a client certificate that cannot be read, or the key of another one")
	}
	if pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0]); err != nil {
		return nil, errors.New("its ExecCredential has a client certificate that cannot be read")
	}
	got.certificate = &pair
	return got, nil
}

// output keeps what a plugin prints up to a limit, and drops the rest.
type output struct {
	most int
	full func()
	data bytes.Buffer
}

func (o *output) Write(data []byte) (int, error) {
	if left := o.most - o.data.Len(); len(data) > left {
		o.data.Write(data[:left])
		o.full()
	} else {
		o.data.Write(data)
	}
	return len(data), nil
}
