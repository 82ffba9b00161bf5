package cluster

import (
	"context"
	"net/http"
	"os"
	"sync/atomic"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
)

// client-go's defaults are 5 requests a second with a burst of 10.
const (
	qps   = 200
	burst = 400
)

type connection struct {
	client   dynamic.Interface
	endpoint Endpoint
	renews   bool        // a credential plugin gets another credential after a refusal
	answered atomic.Bool // by the server, to any request
}

func open(name, userAgent string, config Config) (*connection, error) {
	rc, err := config.restConfig()
	if err != nil {
		return nil, err
	}
	conn := &connection{endpoint: Endpoint{Server: rc.Host, CA: rc.CAData, TLSServerName: rc.ServerName, Insecure: rc.Insecure}}
	if len(rc.CAData) == 0 && rc.CAFile != "" {
		if conn.endpoint.CA, err = os.ReadFile(rc.CAFile); err != nil {
			return nil, err
		}
	}
	rc.RateLimiter = &pace{flowcontrol.NewTokenBucketRateLimiter(qps, burst)}
	rc.UserAgent = userAgent
	rc.WarningHandler = rest.NoWarnings{}
	learnCredentials(rc, config.Learn)
	// The first is the one next to the server, and sees the credentials.
	rc.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return &guard{RoundTripper: next, cluster: name, answered: &conn.answered}
	})
	rc.Wrap(newFirst)
	plugin, err := pluginOf(name, rc)
	if err != nil {
		return nil, err
	}
	if err := readTokenFile(rc); err != nil {
		return nil, err
	}
	var transport http.RoundTripper
	if plugin != nil {
		conn.renews = true
		transport, err = plugin.transport(rc)
	} else {
		transport, err = rest.TransportFor(rc)
	}
	if err != nil {
		return nil, err
	}
	conn.client, err = dynamic.NewForConfigAndClient(rc, &http.Client{Transport: transport})
	return conn, err
}

// pace is a rate limiter that waits until the context has ended if it lets no
// request through before, instead of failing with an error of its own.
type pace struct{ flowcontrol.RateLimiter }

func (p *pace) Wait(ctx context.Context) error {
	err := p.RateLimiter.Wait(ctx)
	if err != nil && ctx.Err() == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	return err
}
