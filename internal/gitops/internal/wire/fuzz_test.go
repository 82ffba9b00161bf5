package wire

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"golang.org/x/crypto/ssh"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/forge"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
)

// FuzzPktLine: whatever an answer is, what is told of it is fit for a terminal, and a report is bounded.
func FuzzPktLine(f *testing.F) {
	f.Add([]byte(forge.Advertise(forge.AnyID, "ofs-delta object-format=sha256")))
	f.Add([]byte(forge.Line("ERR %s", forge.Escapes)))
	f.Add([]byte(forge.Band(1, forge.Line("unpack ok\n")+forge.Line("ng refs/heads/main %s\n", forge.Escapes)+"0000")))
	f.Add([]byte("ffff0001"))
	f.Add([]byte("0004"))
	f.Fuzz(func(t *testing.T, data []byte) {
		x := &exchange{head: data}
		for _, text := range []string{x.refusal(), objectFormat(data)} {
			if printable.Text(text, MaxTextBytes) != text {
				t.Errorf("%q", text)
			}
		}
		if err := packp.NewAdvRefs().Decode(bytes.NewReader(data)); err != nil {
			if text := (&ProtocolError{err}).Error(); printable.Line(text, MaxLineBytes) != text {
				t.Errorf("%q", text)
			}
		}
		// The report's bytes are those outside of the packets with progress, however they come in pieces.
		want := int64(0)
		for s := pktline.NewScanner(bytes.NewReader(data)); s.Scan(); {
			if want += 4; len(s.Bytes()) > 0 && s.Bytes()[0] != progress {
				want += int64(len(s.Bytes()))
			} else if len(s.Bytes()) > 0 {
				want -= 4
			}
		}
		whole, pieces := &reportBody{}, &reportBody{}
		whole.count(data)
		for i := range data {
			pieces.count(data[i : i+1])
		}
		if whole.left != pieces.left || -whole.left < want {
			t.Errorf("counted %d at once and %d in pieces, want at least %d", -whole.left, -pieces.left, want)
		}
	})
}

// FuzzKnownHosts: a text that is read trusts no key that it does not hold.
func FuzzKnownHosts(f *testing.F) {
	_, signer := forge.SSHKey()
	key := string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
	f.Add("git.example.com "+key, "git.example.com", "22")
	f.Add("[git.example.com]:2222,*.example.org,!a.example.org "+key, "git.example.com", "2222")
	f.Add("@revoked * "+key+"* "+key, "a", "22")
	f.Add("|1|c2FsdA==|c3Vt "+key, "a", "22")
	f.Add("\x00[ "+key, "[", "")
	f.Fuzz(func(t *testing.T, text, host, port string) {
		keys, err := ParseKnownHosts(text, host, port)
		if err != nil {
			return
		}
		if keys.check(host, nil, signer.PublicKey()) == nil && !strings.Contains(text, strings.Fields(key)[1][:16]) {
			t.Error("a key is trusted that is not there")
		}
		if len(keys.trusted) > 0 && len(keys.algorithms()) == 0 {
			t.Error("a trusted key of no algorithm")
		}
	})
}
