package cluster

import (
	"net/http"
	"strings"
	"sync"

	"k8s.io/client-go/rest"
)

// learnCredentials tells what the connection logs in with: the keys and
// passwords of a kubeconfig at once, and the credential of each request, which
// may come from a file or a plugin, before it is sent.
func learnCredentials(config *rest.Config, learn func(secrets ...string)) {
	if learn == nil {
		return
	}
	learn(config.BearerToken, config.Password, string(config.KeyData))
	// What is wrapped first is called last, after the credential was added.
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return &learner{RoundTripper: next, learn: learn}
	})
}

type learner struct {
	http.RoundTripper
	learn func(secrets ...string)

	mu   sync.Mutex
	last string // that was told
}

func (l *learner) RoundTrip(r *http.Request) (*http.Response, error) {
	authorization := r.Header.Get("Authorization")
	l.mu.Lock()
	isNew := authorization != l.last
	l.last = authorization
	l.mu.Unlock()
	if isNew {
		_, credential, _ := strings.Cut(authorization, " ")
		l.learn(credential)
		if _, password, ok := r.BasicAuth(); ok {
			l.learn(password)
		}
	}
	return l.RoundTripper.RoundTrip(r)
}
