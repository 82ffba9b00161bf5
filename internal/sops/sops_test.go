package sops

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"go.yaml.in/yaml/v3"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/suite"
)

const secret = `apiVersion: v1
kind: Secret
metadata:
  labels:
    enabled: "yes"
    number: "012"
  name: app-values
stringData:
  empty: ""
  values.yaml: |
    ---
    hostname: app.example.com
    password: "päss: #@ word"
    list:
    - 1
    - two
`

var when = time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600))

func identity(t *testing.T) *age.X25519Identity {
	t.Helper()
	i, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func same(t *testing.T, a, b []byte) {
	t.Helper()
	var x, y map[string]any
	if err := errors.Join(yaml.Unmarshal(a, &x), yaml.Unmarshal(b, &y)); err != nil {
		t.Fatal(err)
	}
	textX, _ := yaml.Marshal(x)
	textY, _ := yaml.Marshal(y)
	if !bytes.Equal(textX, textY) {
		t.Errorf("got\n%s\nwant\n%s", textX, textY)
	}
}

func TestEncryptAndDecrypt(t *testing.T) {
	one, two, stranger := identity(t), identity(t), identity(t)
	recipients := []string{one.Recipient().String(), two.Recipient().String()}
	file, err := Encrypt([]byte(secret), recipients, when)
	if err != nil {
		t.Fatal(err)
	}
	for _, readable := range []string{"kind: Secret", "name: app-values", "values.yaml: ENC[AES256_GCM,", `lastmodified: "2026-01-02T02:04:05Z"`} {
		if !strings.Contains(string(file), readable) {
			t.Errorf("%q is not in the file:\n%s", readable, file)
		}
	}
	for _, hidden := range []string{"hostname", "word", "two"} {
		if strings.Contains(string(file), hidden) {
			t.Errorf("%q is in the file:\n%s", hidden, file)
		}
	}
	for _, i := range []*age.X25519Identity{one, two} {
		plain, err := Decrypt(file, "# created: today\n"+i.String()+"\n")
		if err != nil {
			t.Fatal(err)
		}
		same(t, plain, []byte(secret))
	}
	if _, err := Decrypt(file, stranger.String()); err == nil {
		t.Error("a stranger's key decrypts the file")
	}
	got, err := Recipients(file)
	if err != nil || !slices.Equal(got, recipients) {
		t.Errorf("recipients %v (%v), want %v", got, err, recipients)
	}
	if _, err := Recipients([]byte(secret)); !errors.Is(err, ErrNotEncrypted) {
		t.Errorf("a plain file gives %v", err)
	}
	if again, err := Encrypt([]byte(secret), recipients, when); err != nil || bytes.Equal(again, file) {
		t.Errorf("two encryptions are the same (%v)", err)
	}
}

// TestDecrypt_changed: a value that was moved, replaced or edited is noticed.
func TestDecrypt_changed(t *testing.T) {
	i := identity(t)
	file, err := Encrypt([]byte(secret), []string{i.Recipient().String()}, when)
	if err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string]func(string) string{
		"an open value":  func(s string) string { return strings.Replace(s, "app-values", "other-values", 1) },
		"a moved value":  func(s string) string { return strings.Replace(s, "values.yaml: ENC", "other.yaml: ENC", 1) },
		"the time":       func(s string) string { return strings.Replace(s, "02:04:05Z", "02:04:06Z", 1) },
		"a plain value":  func(s string) string { return strings.Replace(s, `empty: ""`, `empty: "now not"`, 1) },
		"no MAC":         func(s string) string { return strings.Replace(s, "  mac: ", "  other: ", 1) },
		"another rule":   func(s string) string { return strings.Replace(s, "^(data|stringData)$", "^data$", 1) },
		"no YAML":        func(string) string { return "\t" },
		"not a mapping":  func(string) string { return "- a" },
		"a number":       func(s string) string { return strings.Replace(s, "name: app-values", "name: 1", 1) },
		"no sops at all": func(s string) string { s, _, _ = strings.Cut(s, "sops:"); return s },
	} {
		t.Run(name, func(t *testing.T) {
			edited := edit(string(file))
			if edited == string(file) {
				t.Fatalf("%s: nothing was edited", name)
			}
			if _, err := Decrypt([]byte(edited), i.String()); err == nil {
				t.Errorf("%s: not noticed", name)
			}
		})
	}
}

func TestEncrypt_refuses(t *testing.T) {
	recipient := identity(t).Recipient().String()
	file, err := Encrypt([]byte(secret), []string{recipient}, when)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		plain      string
		recipients []string
	}{
		"no recipient":      {secret, nil},
		"a bad recipient":   {secret, []string{"age1nonsense"}},
		"a private key":     {secret, []string{identity(t).String()}},
		"encrypted already": {string(file), []string{recipient}},
		"a number":          {"stringData: {a: 1}", []string{recipient}},
		"an alias":          {"data: &a {b: c}\nmore: *a", []string{recipient}},
		"no mapping":        {"[]", []string{recipient}},
		"no YAML":           {"{", []string{recipient}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Encrypt([]byte(c.plain), c.recipients, when)
			if err == nil {
				t.Errorf("%s: accepted", name)
			} else if strings.Contains(err.Error(), "AGE-SECRET-KEY") {
				t.Errorf("%s: the key is in the error: %v", name, err)
			}
		})
	}
}

// TestDecryptedByCommand: the sops command that internal/tools/sops pins reads what Encrypt writes, and Decrypt reads what it writes.
// It compiles that command, and so is no unit test.
func TestDecryptedByCommand(t *testing.T) {
	suite.Acceptance(t, "compiles the sops command")
	tool := exec.Command("go", "-C", filepath.Join("..", "tools", "sops"), "tool", "-n", "sops")
	tool.Stderr = os.Stderr
	out, err := tool.Output()
	if err != nil {
		t.Fatalf("build sops: %v", err)
	}
	command := strings.TrimSpace(string(out))
	i, dir := identity(t), t.TempDir()
	keys, path := filepath.Join(dir, "keys.txt"), filepath.Join(dir, "params.sops.yaml")
	run := func(args ...string) []byte {
		t.Helper()
		cmd := exec.Command(command, args...)
		cmd.Env = append(os.Environ(), "SOPS_AGE_KEY_FILE="+keys, "HOME="+dir)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("sops %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
		}
		return out
	}
	write := func(path string, data []byte) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(keys, []byte(i.String()+"\n"))
	file, err := Encrypt([]byte(secret), []string{i.Recipient().String()}, when)
	if err != nil {
		t.Fatal(err)
	}
	write(path, file)
	same(t, run("--decrypt", path), []byte(secret))

	write(path, []byte(secret))
	theirs := run("--encrypt", "--age", i.Recipient().String(), "--encrypted-regex", EncryptedRegex, path)
	plain, err := Decrypt(theirs, i.String())
	if err != nil {
		t.Fatal(err)
	}
	same(t, plain, []byte(secret))
}
