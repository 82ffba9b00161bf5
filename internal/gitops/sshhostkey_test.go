package gitops

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/forge"
)

// certified is the key of a host with a certificate.
func certified(t *testing.T, host, authority ssh.Signer, change func(*ssh.Certificate)) ssh.Signer {
	t.Helper()
	certificate := &ssh.Certificate{
		Key: host.PublicKey(), CertType: ssh.HostCert, ValidPrincipals: []string{"127.0.0.1"},
		ValidAfter: uint64(time.Now().Add(-time.Hour).Unix()), ValidBefore: uint64(time.Now().Add(time.Hour).Unix()),
	}
	if change != nil {
		change(certificate)
	}
	names := certificate.ValidPrincipals
	if len(names) == 0 { // which is not signed any more, but older authorities have
		certificate.ValidPrincipals = []string{"another"}
	}
	if err := certificate.SignCert(rand.Reader, authority); err != nil {
		t.Fatal(err)
	}
	certificate.ValidPrincipals = names
	signer, err := ssh.NewCertSigner(certificate, host)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// TestSSH_hostKeys: a server is trusted that ssh trusts with the same known hosts; else the error says which line is against it.
func TestSSH_hostKeys(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	key, client := forge.SSHKey()
	_, host := forge.SSHKey()
	_, authority := forge.SSHKey()
	_, other := forge.SSHKey()
	mine, ca, another := publicLine(host), publicLine(authority), publicLine(other)
	good := certified(t, host, authority, nil)
	changed := func(change func(*ssh.Certificate)) ssh.Signer { return certified(t, host, authority, change) }
	for name, test := range map[string]struct {
		shows ssh.Signer
		known string // NAME is [127.0.0.1]:PORT
		want  string // empty: it is trusted
	}{
		"name and port":                {host, "NAME " + mine, ""},
		"without port":                 {host, "127.0.0.1 " + mine, ""},
		"without port, not the key":    {host, "# a\n127.0.0.1 " + another, "which is not the one in known_hosts (line 2)"},
		"several keys, not the key":    {host, "NAME " + another + "\nNAME " + ca, "lines 1, 2"},
		"the port's key is another":    {host, "NAME " + another + "\n127.0.0.1 " + mine, "which is not the one in known_hosts (line 1)"},
		"authority":                    {good, "@cert-authority 127.0.0.* " + ca, ""},
		"authority with port":          {good, "@cert-authority NAME " + ca, ""},
		"authority of all":             {good, "other " + another + "\n@cert-authority * " + ca, ""},
		"authority and a key":          {good, "@cert-authority * " + ca + "\n127.0.0.1 " + another, ""},
		"certificate of no names":      {changed(func(c *ssh.Certificate) { c.ValidPrincipals = nil }), "@cert-authority * " + ca, "line 1 of known_hosts is no good: ssh: principal"},
		"certificate, key is known":    {good, "NAME " + mine, ""},
		"other authority":              {good, "@cert-authority * " + another, "(line 1) is another one"},
		"other authority, known key":   {good, "@cert-authority * " + another + "\nNAME " + mine, ""},
		"authority, no certificate":    {host, "\n@cert-authority * " + ca, "which has no certificate of the authority in known_hosts (line 2)"},
		"certificate of another name":  {changed(func(c *ssh.Certificate) { c.ValidPrincipals = []string{"h"} }), "@cert-authority * " + ca, "line 1 of known_hosts is no good: ssh: principal"},
		"certificate that is over":     {changed(func(c *ssh.Certificate) { c.ValidBefore = c.ValidAfter + 1 }), "@cert-authority * " + ca, "expired"},
		"certificate of a user":        {changed(func(c *ssh.Certificate) { c.CertType = ssh.UserCert }), "@cert-authority * " + ca, "it is a user's"},
		"revoked":                      {host, "NAME " + mine + "\n@revoked * " + mine, "which line 2 of known_hosts revokes"},
		"revoked, without port":        {host, "127.0.0.1 " + mine + "\n@revoked NAME " + mine, "which line 2 of known_hosts revokes"},
		"revoked authority":            {good, "@cert-authority * " + ca + "\n@revoked * " + ca, "which line 2 of known_hosts revokes"},
		"revoked key of a certificate": {good, "@cert-authority * " + ca + "\n@revoked * " + mine, "which line 2 of known_hosts revokes"},
		"another one is revoked":       {host, "NAME " + mine + "\n@revoked * " + another, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := f.ssh(client.PublicKey(), func(s *sshServer) { s.host, s.plain = test.shows, host }) // as sshd, which has the key besides its certificate
			port := server.address[strings.LastIndexByte(server.address, ':')+1:]
			known := strings.ReplaceAll(test.known, "NAME", "[127.0.0.1]:"+port)
			_, err := server.engine(key, func(c *Config) { c.SSH.KnownHosts = known }).Read(patient(t), "a")
			var unknown *UnknownHostKeyError
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (!errors.As(err, &unknown) || !strings.Contains(err.Error(), test.want) || unknown.Fingerprint != ssh.FingerprintSHA256(host.PublicKey())):
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
