package redacted

import "github.com/carvel-gitops/terraform-provider-carvel/internal/provider/packed"

// Before puts the server before another one than the framework's, with a
// Redactor that knows secrets.
func Before(next packed.ProviderServer, secrets ...string) packed.ProviderServer {
	s := newServer(next)
	s.known.Know(secrets...)
	return s
}

// MaxText is the length that texts are cut at.
const MaxText = maxText
