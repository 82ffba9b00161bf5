package kubeconfig

import (
	"net"
	"net/url"
	"strings"
)

// IsLoopback reports whether the URL of an API server leads back to the machine
// that uses it.
func IsLoopback(server string) bool {
	if !strings.Contains(server, "://") {
		server = "https://" + server // as client-go reads it
	}
	u, err := url.Parse(server)
	if err != nil {
		return false
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}
