package forge

import (
	"crypto/ed25519"
	"encoding/pem"

	"golang.org/x/crypto/ssh"
)

// SSHKey makes a key: its private part in OpenSSH form, and what signs with it.
func SSHKey() (private string, signer ssh.Signer) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		panic(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		panic(err)
	}
	if signer, err = ssh.NewSignerFromKey(key); err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(block)), signer
}
