package kubeconfig

import (
	"testing"
)

func TestIsLoopback(t *testing.T) {
	for server, want := range map[string]bool{
		"https://127.0.0.1:6443": true, "https://127.8.8.8": true, "https://[::1]:6443": true, "https://LOCALHOST.:6443": true,
		"https://api.localhost": true, "https://0.0.0.0:6443": true, "127.0.0.1:6443": true, "https://[::ffff:127.0.0.1]": true,
		"https://10.0.0.1": false, "https://api.example.com": false, "https://localhost.example.com": false, "https://[": false, "": false,
	} {
		t.Run(server, func(t *testing.T) {
			if got := IsLoopback(server); got != want {
				t.Errorf("%q: %t", server, got)
			}
		})
	}
}
