package gitops

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"golang.org/x/crypto/ssh"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/forge"
)

const passphrase = "open s3same"

// openPGPKey is a new private key, encrypted if there is a passphrase, and its public part.
func openPGPKey(t *testing.T, passphrase string, lifetime uint32) (private, public string) {
	t.Helper()
	config := &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA, KeyLifetimeSecs: lifetime}
	if lifetime > 0 {
		config.Time = func() time.Time { return time.Now().Add(-time.Hour) }
	}
	key, err := openpgp.NewEntity("Ada", "", "ada@example.com", config)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(kind string, serialize func(*bytes.Buffer) error) string {
		var raw, text bytes.Buffer
		if err := serialize(&raw); err != nil {
			t.Fatal(err)
		}
		w, err := armor.Encode(&text, kind, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(raw.Bytes()); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return text.String()
	}
	public = encode(openpgp.PublicKeyType, func(b *bytes.Buffer) error { return key.Serialize(b) })
	if passphrase != "" {
		if err := key.EncryptPrivateKeys([]byte(passphrase), nil); err != nil {
			t.Fatal(err)
		}
	}
	private = encode(openpgp.PrivateKeyType, func(b *bytes.Buffer) error { return key.SerializePrivateWithoutSigning(b, nil) })
	return private, public
}

// verifyCommit runs git verify-commit on the branch's tip as a user would who has the settings.
func verifyCommit(f *fixture, environment []string, settings ...string) {
	f.t.Helper()
	args := []string{"-C", f.RepositoryDir(repository)}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	cmd := exec.Command("git", append(args, "verify-commit", "refs/heads/main")...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null"}, environment...)
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("Good")) {
		f.t.Errorf("git verify-commit: %v\n%s", err, out)
	}
}

// unsigned takes the signature out of a commit.
func unsigned(t *testing.T, commit string) (text, signature string) {
	t.Helper()
	before, rest, found := strings.Cut(commit, "\ngpgsig ")
	end := strings.Index(rest, "\n\n")
	if !found || end < 0 {
		t.Fatalf("not a signed commit:\n%s", commit)
	}
	return before + rest[end:], strings.ReplaceAll(rest[:end], "\n ", "\n")
}

func TestSigning_openPGP(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.seed(map[string]string{"a": "1"})
	private, public := openPGPKey(t, passphrase, 0)
	e := f.engine(func(c *Config) { c.Signing = Signing{OpenPGPKey: private, OpenPGPPassphrase: passphrase} })
	apply(t, e, "Write", write("a", "2"))
	apply(t, e, "Write", write("b/c", "3"))
	f.check(map[string]string{"a": "2", "b/c": "3"})

	commit, err := f.Git(repository, nil, "cat-file", "commit", "main")
	if err != nil {
		t.Fatal(err)
	}
	text, signature := unsigned(t, commit)
	keys, err := openpgp.ReadArmoredKeyRing(strings.NewReader(public))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openpgp.CheckArmoredDetachedSignature(keys, strings.NewReader(text), strings.NewReader(signature), nil); err != nil {
		t.Errorf("the library does not verify the signature: %v", err)
	}

	gpg, err := exec.LookPath("gpg")
	if err != nil {
		t.Skip("gpg is not installed: the signature was verified by the library alone, not by git verify-commit")
	}
	home, err := os.MkdirTemp("", "gpg") // gpg's sockets need a short path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	gnupg := []string{"GNUPGHOME=" + home}
	load := exec.Command(gpg, "--batch", "--no-autostart", "--import")
	load.Env, load.Stdin = append(os.Environ(), gnupg...), strings.NewReader(public)
	if out, err := load.CombinedOutput(); err != nil {
		t.Fatalf("gpg --import: %v\n%s", err, out)
	}
	verifyCommit(f, gnupg)
}

func TestSigning_ssh(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		t.Skip("git verify-commit needs ssh-keygen for SSH signatures, and it is not installed")
	}
	elliptical, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	large, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text := func(key any) string {
		block, err := ssh.MarshalPrivateKey(key, "")
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(block))
	}
	edwards, _ := forge.SSHKey()
	for name, signing := range map[string]Signing{
		"ed25519, encrypted": {SSHKey: encrypted(t, edwards, passphrase), SSHPassphrase: passphrase},
		"ecdsa":              {SSHKey: text(elliptical)},
		"rsa":                {SSHKey: text(large)},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.seed(map[string]string{"a": "1"})
			e := f.engine(func(c *Config) { c.Signing = signing })
			apply(t, e, "Write", write("a", "2"))
			f.check(map[string]string{"a": "2"})
			key, err := parseSSHKey(signing.SSHKey, signing.SSHPassphrase, "", "")
			if err != nil {
				t.Fatal(err)
			}
			allowed := filepath.Join(t.TempDir(), "allowed_signers")
			line := DefaultAuthorEmail + ` namespaces="git" ` + string(ssh.MarshalAuthorizedKey(key.PublicKey()))
			if err := os.WriteFile(allowed, []byte(line), 0o600); err != nil {
				t.Fatal(err)
			}
			verifyCommit(f, nil, "gpg.ssh.allowedSignersFile="+allowed)
		})
	}
}

func TestSigning_Validate(t *testing.T) {
	t.Parallel()
	private, public := openPGPKey(t, "", 0)
	locked, _ := openPGPKey(t, passphrase, 0)
	expired, _ := openPGPKey(t, "", 60)
	key, _ := forge.SSHKey()
	lockedSSH := encrypted(t, key, passphrase)
	for _, test := range []struct {
		name    string
		signing Signing
		field   string // empty: valid
	}{
		{"none", Signing{}, ""},
		{"OpenPGP", Signing{OpenPGPKey: private}, ""},
		{"OpenPGP, encrypted", Signing{OpenPGPKey: locked, OpenPGPPassphrase: passphrase}, ""},
		{"OpenPGP, no passphrase", Signing{OpenPGPKey: locked}, "signing.open_pgp_passphrase"},
		{"OpenPGP, wrong passphrase", Signing{OpenPGPKey: locked, OpenPGPPassphrase: "wr0ng"}, "signing.open_pgp_passphrase"},
		{"OpenPGP, public key", Signing{OpenPGPKey: public}, "signing.open_pgp_key"},
		{"OpenPGP, expired", Signing{OpenPGPKey: expired}, "signing.open_pgp_key"},
		{"OpenPGP, nonsense", Signing{OpenPGPKey: "wr0ng"}, "signing.open_pgp_key"},
		{"OpenPGP, cut", Signing{OpenPGPKey: private[:len(private)/2]}, "signing.open_pgp_key"},
		{"OpenPGP passphrase alone", Signing{OpenPGPPassphrase: "wr0ng"}, "signing.open_pgp_passphrase"},
		{"SSH", Signing{SSHKey: key}, ""},
		{"SSH, encrypted", Signing{SSHKey: lockedSSH, SSHPassphrase: passphrase}, ""},
		{"SSH, no passphrase", Signing{SSHKey: lockedSSH}, "signing.ssh_passphrase"},
		{"SSH, wrong passphrase", Signing{SSHKey: lockedSSH, SSHPassphrase: "wr0ng"}, "signing.ssh_passphrase"},
		{"SSH, nonsense", Signing{SSHKey: "wr0ng"}, "signing.ssh_key"},
		{"SSH passphrase alone", Signing{SSHPassphrase: "wr0ng"}, "signing.ssh_passphrase"},
		{"both", Signing{OpenPGPKey: private, SSHKey: key}, "signing.ssh_key"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := Config{URL: "https://git.example.com/x", Signing: test.signing}.Validate()
			var wrong *ConfigError
			switch {
			case test.field == "" && err != nil:
				t.Errorf("got %v", err)
			case test.field != "" && (!errors.As(err, &wrong) || wrong.Field != test.field):
				t.Errorf("got %v, want an error about %s", err, test.field)
			case err != nil && strings.Contains(err.Error(), "wr0ng"):
				t.Errorf("the error holds a secret: %v", err)
			}
		})
	}
}
