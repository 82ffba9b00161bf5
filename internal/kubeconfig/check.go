package kubeconfig

import (
	"encoding/base64"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/transport"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/credential"
)

// The fields of a kubeconfig that are in base64.
const (
	authorityData   = "certificate-authority-data"
	certificateData = "client-certificate-data"
	keyData         = "client-key-data"
)

// check looks at a kubeconfig of one context. Where nothing is found, client-go has
// the last word on it.
func check(config *api.Config) []Finding {
	cluster, user := parts(config)
	var f findings
	f.unfilled(config)
	if len(f) > 0 {
		return f // whatever else is wrong may be for want of a value
	}
	f.cluster(cluster)
	f.user(user)
	if len(f) == 0 {
		f.client(config)
	}
	return f
}

type findings []Finding

func (f *findings) add(bad bool, text string) {
	if bad {
		*f = append(*f, Finding{Text: text})
	}
}

func (f *findings) dropped(bad bool, text string) {
	if bad {
		*f = append(*f, Finding{Text: text, Dropped: true})
	}
}

// about adds what is wrong with a part of the kubeconfig.
func (f *findings) about(what string, err error) {
	switch {
	case errors.Is(err, credential.ErrEncoded):
		f.add(true, what+" is encoded in base64 twice: decode it once, for example with base64decode(...)")
	case err != nil:
		f.add(true, what+" "+err.Error())
	}
}

func (f *findings) unfilled(config *api.Config) {
	context := config.Contexts[config.CurrentContext]
	cluster, user := parts(config)
	all := map[string]string{
		"current-context": config.CurrentContext, "the name of the cluster": context.Cluster, "the name of the user": context.AuthInfo,
		"the context's namespace": context.Namespace, "the cluster's server": cluster.Server, "tls-server-name": cluster.TLSServerName,
		"proxy-url": cluster.ProxyURL, "the user's token": user.Token, "the user's username": user.Username, "the user's password": user.Password,
		"as": user.Impersonate,
	}
	for what, data := range map[string][]byte{
		authorityData: cluster.CertificateAuthorityData, certificateData: user.ClientCertificateData, keyData: user.ClientKeyData,
	} {
		all[what] = string(data)
		if encoded := base64.StdEncoding.EncodeToString(data); credential.Unfilled(encoded) != nil {
			all[what] = encoded // what stands in its place happens to be base64
		}
	}
	for _, what := range slices.Sorted(maps.Keys(all)) {
		f.about(what, credential.Unfilled(all[what]))
	}
}

func (f *findings) cluster(c *api.Cluster) {
	f.dropped(c.CertificateAuthority != "", "certificate-authority is a file path: inline it as certificate-authority-data")
	f.server(c)
	if !isProxy(c.ProxyURL) {
		f.add(true, "proxy-url is not a URL that begins with http://, https:// or socks5://")
	}
	f.about("tls-server-name", credential.Text(c.TLSServerName))
	if len(c.CertificateAuthorityData) == 0 {
		return
	}
	if c.InsecureSkipTLSVerify {
		f.add(true, "the cluster has insecure-skip-tls-verify together with certificate-authority-data, which kubectl refuses: remove insecure-skip-tls-verify")
	}
	_, err := credential.Authorities(c.CertificateAuthorityData)
	f.about(authorityData, err)
}

func (f *findings) server(c *api.Cluster) {
	const what = "the cluster's server"
	if c.Server == "" {
		f.add(true, "the cluster has no server")
		return
	}
	if err := credential.Server(c.Server); err != nil {
		f.about(what, err)
		return
	}
	f.add(strings.HasPrefix(strings.ToLower(c.Server), "http://"),
		what+" begins with http://, over which the credentials would travel in clear: the API server's address begins with https://")
	f.add(!credential.HasScheme(c.Server) && len(c.CertificateAuthorityData) == 0 && !c.InsecureSkipTLSVerify,
		what+" does not say https://, and without certificate-authority-data it would be spoken to in clear: begin it with https://")
}

func (f *findings) user(u *api.AuthInfo) {
	before := len(*f)
	f.dropped(u.Exec != nil, "the user runs an exec plugin, which does not run inside the controller: use a token, or the service_account source")
	f.dropped(u.AuthProvider != nil, "the user has an auth-provider, which Kubernetes no longer supports: use a token, or the service_account source")
	f.dropped(u.TokenFile != "", "tokenFile is a file path: inline it as token")
	f.dropped(u.ClientCertificate != "", "client-certificate is a file path: inline it as client-certificate-data")
	f.dropped(u.ClientKey != "", "client-key is a file path: inline it as client-key-data")
	f.dropped(u.ImpersonateUID != "", "as-uid is dropped by the controller: remove it")
	if len(*f) > before {
		return
	}
	certificate, key := len(u.ClientCertificateData) > 0, len(u.ClientKeyData) > 0
	f.add(u.Token == "" && u.Username == "" && u.Password == "" && !certificate && !key,
		"the user has no credentials, so that it would deploy as anonymous: give it a token, or a client certificate with its key")
	f.add(u.Token != "" && (u.Username != "" || u.Password != ""), "the user has a token and a username or a password, of which kubectl takes one alone: remove the other")
	f.add(u.Username == "" && u.Password != "", "the user has a password without a username, which is not sent: add the username")
	f.add(u.Username != "" && u.Password == "", "the user has a username without a password: add the password, or use a token")
	f.add(certificate && !key, "client-certificate-data has no client-key-data with it: add the key")
	f.add(key && !certificate, "client-key-data has no client-certificate-data with it: add the certificate")
	f.add(u.Impersonate == "" && (len(u.ImpersonateGroups) > 0 || len(u.ImpersonateUserExtra) > 0), "the user has as-groups or as-user-extra without as: add as, or remove them")
	if u.Token != "" {
		f.about("the user's token", credential.Token(u.Token))
	}
	f.about("the user's username", credential.Text(u.Username))
	f.about("the user's password", credential.Text(u.Password))
	f.certificate(u.ClientCertificateData, u.ClientKeyData)
}

func (f *findings) certificate(certificate, key []byte) {
	before := len(*f)
	if len(certificate) > 0 {
		_, err := credential.ClientCertificate(certificate)
		f.about(certificateData, err)
	}
	if len(key) > 0 {
		f.about(keyData, credential.ClientKey(key))
	}
	if len(certificate) > 0 && len(key) > 0 && len(*f) == before {
		f.about(keyData, credential.Pair(certificate, key))
	}
}

// client builds what client-go would, without a connection.
func (f *findings) client(config *api.Config) {
	built, err := clientcmd.NewDefaultClientConfig(*config, nil).ClientConfig()
	if err != nil {
		f.add(true, "kubectl would refuse it: "+err.Error())
		return
	}
	how, err := built.TransportConfig()
	if err == nil {
		_, err = transport.TLSConfigFor(how)
	}
	if err != nil {
		f.add(true, "kubectl would refuse it: "+err.Error())
	}
}

// isProxy reports whether a text names a proxy, or none.
func isProxy(text string) bool {
	if text == "" {
		return true
	}
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && slices.Contains([]string{"http", "https", "socks5"}, u.Scheme)
}

// expired are the credentials of a kubeconfig that cannot be used now.
func expired(config *api.Config, now time.Time) []Finding {
	cluster, user := parts(config)
	var f findings
	add := func(what string, life credential.Life, advice string) {
		if ended := life.Ended(now); ended != "" {
			f.add(true, what+" "+ended+": "+advice)
		}
	}
	add("the user's token", credential.TokenLife(user.Token), "get another one")
	if certificates, err := credential.ClientCertificate(user.ClientCertificateData); err == nil {
		add("the client certificate", credential.Valid(certificates[:1]), "get another one")
	}
	if authorities, err := credential.Authorities(cluster.CertificateAuthorityData); err == nil {
		add("the certificate authority", credential.Valid(authorities), "get the one that the API server uses now")
	}
	return f
}
