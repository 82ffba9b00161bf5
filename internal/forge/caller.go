package forge

import (
	"context"
	"net/http"
)

// Caller makes requests to the API of a repository's forge which are about no pull request, as the clients of this package do:
// bounded, again where that may help, without a secret in an error.
type Caller struct {
	// Owner and Name are those of the repository.
	Owner, Name string
	client      *client
}

// NewCaller is without network access. The error is a *ConfigError.
func NewCaller(config Config) (*Caller, error) {
	client, place, err := open(config)
	if err != nil {
		return nil, err
	}
	return &Caller{Owner: place.owner, Name: place.name, client: client}, nil
}

// Get reads what is at a path, which is escaped.
func (c *Caller) Get(ctx context.Context, path string, into any) error {
	return c.client.do(ctx, call{method: http.MethodGet, path: path, into: into})
}

// Post asks for something that may be made twice.
func (c *Caller) Post(ctx context.Context, path string, body, into any) error {
	return c.client.do(ctx, call{method: http.MethodPost, path: path, body: body, into: into, again: true})
}
