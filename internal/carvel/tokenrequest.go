package carvel

import (
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/kubeconfig"
)

// TokenSubresource of a ServiceAccount is where a TokenRequest is posted.
const TokenSubresource = "token"

// The limits that the TokenRequest API sets on a token's life. A server may
// grant less than was asked for.
const (
	MinTokenSeconds = 600
	MaxTokenSeconds = 1 << 32
)

var tokenRequests = schema.GroupVersionResource{Group: "authentication.k8s.io", Version: "v1", Resource: "tokenrequests"}

// TokenRequest asks for a token of a ServiceAccount. Without audiences it is
// for the API server itself.
func TokenRequest(namespace, serviceAccount string, seconds int64, audiences []string) *unstructured.Unstructured {
	obj := object(tokenRequests, "TokenRequest", namespace, serviceAccount, nil, nil)
	spec := map[string]any{"expirationSeconds": seconds}
	if len(audiences) > 0 {
		spec["audiences"] = anySlice(audiences)
	}
	obj.Object["spec"] = spec
	return obj
}

// GrantedToken reads the answer to a TokenRequest.
func GrantedToken(answer *unstructured.Unstructured) (kubeconfig.Token, error) {
	value, _, err := unstructured.NestedString(answer.Object, "status", "token")
	if err != nil || value == "" {
		return kubeconfig.Token{}, errors.New("the answer to the TokenRequest holds no token")
	}
	// What the token says of itself can be found again later; the answer's
	// timestamp may be a second off.
	if claims, ok := kubeconfig.ReadClaims(value); ok && !claims.Expires.IsZero() {
		return kubeconfig.Token{Value: []byte(value), Life: claims.Life}, nil
	}
	text, _, err := unstructured.NestedString(answer.Object, "status", "expirationTimestamp")
	if err != nil {
		return kubeconfig.Token{}, errors.New("the answer to the TokenRequest does not say when the token expires")
	}
	expires, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return kubeconfig.Token{}, errors.New("the answer to the TokenRequest does not say when the token expires")
	}
	seconds, _, err := unstructured.NestedInt64(answer.Object, "spec", "expirationSeconds")
	if err != nil || seconds < 0 || seconds > MaxTokenSeconds {
		return kubeconfig.Token{}, errors.New("the answer to the TokenRequest does not say how long the token is good for")
	}
	// By the server's clock, which may not agree with the one here.
	issued := expires.Add(-time.Duration(seconds) * time.Second)
	return kubeconfig.Token{Value: []byte(value), Life: kubeconfig.Life{Issued: issued, Expires: expires}}, nil
}
