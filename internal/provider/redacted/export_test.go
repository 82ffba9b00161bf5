package redacted

import "github.com/hashicorp/terraform-plugin-go/tfprotov6"

// Before puts the server before another one than the framework's, with a
// Redactor that knows secrets.
func Before(next tfprotov6.ProviderServer, secrets ...string) tfprotov6.ProviderServer {
	s := newServer(next)
	s.known.Know(secrets...)
	return s
}

// MaxText is the length that texts are cut at.
const MaxText = maxText
