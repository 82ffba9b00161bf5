package lab

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// cluster is one control plane that is being started.
type cluster struct {
	name   string
	dir    string
	ca     *authority
	admin  pair
	port   int
	server string
	http   *http.Client
	client dynamic.Interface
}

// newCluster makes the keys and certificates of a cluster in a directory.
func newCluster(name, dir string) (*cluster, error) {
	c := &cluster{name: name, dir: dir}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	var err error
	if c.ca, err = newAuthority("lab " + name); err != nil {
		return nil, err
	}
	if err := c.issue(); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	private, err := encodeKey(key)
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	for file, content := range map[string][]byte{
		"service-account.key": private,
		"service-account.pub": encodePEM("PUBLIC KEY", public),
	} {
		if err := os.WriteFile(c.file(file), content, 0o600); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// issue makes the certificates of the server and the administrator.
func (c *cluster) issue() error {
	var err error
	if c.admin, err = c.ca.client("lab-admin", "system:masters"); err != nil {
		return err
	}
	server, err := c.ca.server("kube-apiserver")
	if err != nil {
		return err
	}
	for file, content := range map[string][]byte{"ca.crt": c.ca.pem, "server.crt": server.certificate, "server.key": server.key} {
		if err := os.WriteFile(c.file(file), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (c *cluster) file(name string) string { return filepath.Join(c.dir, name) }

func (c *cluster) kubeconfig() string { return c.file("kubeconfig.yaml") }

// public returns the cluster as users of the lab see it.
func (c *cluster) public() Cluster {
	return Cluster{Name: c.name, Kubeconfig: c.kubeconfig(), Server: c.server, CA: c.ca.pem}
}

// connect writes the administrator's kubeconfig for the port and makes the
// clients that the lab itself uses.
func (c *cluster) connect(port int) error {
	c.port, c.server = port, fmt.Sprintf("https://127.0.0.1:%d", port)
	config := clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{c.name: {Server: c.server, CertificateAuthorityData: c.ca.pem}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"admin": {ClientCertificateData: c.admin.certificate, ClientKeyData: c.admin.key}},
		Contexts:       map[string]*clientcmdapi.Context{c.name: {Cluster: c.name, AuthInfo: "admin", Namespace: "default"}},
		CurrentContext: c.name,
	}
	if err := clientcmd.WriteToFile(config, c.kubeconfig()); err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AddCert(c.ca.certificate)
	identity, err := tls.X509KeyPair(c.admin.certificate, c.admin.key)
	if err != nil {
		return err
	}
	c.http = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{identity}},
	}}
	c.client, err = dynamic.NewForConfigAndClient(&rest.Config{Host: c.server, QPS: -1}, c.http)
	return err
}

// ready returns nil when every check of the API server passes.
func (c *cluster) ready(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.server+"/readyz", nil)
	if err != nil {
		return err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", response.Status, body)
	}
	return nil
}
