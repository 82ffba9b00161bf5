package cluster

import (
	"bytes"
	"fmt"
	"net/http"
	"os"

	"k8s.io/client-go/rest"
)

// readTokenFile has the file with the token read for every request: client-go
// would take its content for good for most of a minute.
func readTokenFile(config *rest.Config) error {
	path := config.BearerTokenFile
	if path == "" {
		return nil
	}
	config.BearerToken, config.BearerTokenFile = "", ""
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return &tokenFile{next, path} })
	_, err := readToken(path)
	return err
}

func readToken(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("token_path: %w", err)
	}
	if data = bytes.TrimSpace(data); len(data) == 0 {
		return "", fmt.Errorf("token_path: %s is empty", path)
	}
	return string(data), nil
}

type tokenFile struct {
	http.RoundTripper
	path string
}

func (f *tokenFile) RoundTrip(r *http.Request) (*http.Response, error) {
	token, err := readToken(f.path)
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+token)
	return f.RoundTripper.RoundTrip(r)
}
