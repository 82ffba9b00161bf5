package carvel

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TokenSubresource of a ServiceAccount is where a TokenRequest is posted.
const TokenSubresource = "token"

// The limits that the TokenRequest API sets on a token's life. A server may
// grant less than was asked for.
const (
	MinTokenSeconds = 600
	MaxTokenSeconds = 1 << 32
)

// lastSecond is the last one of the year 9999, after which a time has no form in
// RFC 3339. No API server issues a token beyond it.
const lastSecond = 253402300799

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

// Life is when a token was issued and when it expires. It is zero for a token
// that does not expire.
type Life struct {
	Issued, Expires time.Time
}

// RenewalDue tells whether less than a third of the life is left.
func (l Life) RenewalDue(now time.Time) bool {
	return l.Expires.Sub(now) < l.Expires.Sub(l.Issued)/3
}

// Token is a ServiceAccount's token.
type Token struct {
	Value []byte
	Life
}

// GrantedToken reads the answer to a TokenRequest.
func GrantedToken(answer *unstructured.Unstructured) (Token, error) {
	value, _, err := unstructured.NestedString(answer.Object, "status", "token")
	if err != nil || value == "" {
		return Token{}, errors.New("the answer to the TokenRequest holds no token")
	}
	// What the token says of itself can be found again later; the answer's
	// timestamp may be a second off.
	if claims, ok := ReadTokenClaims(value); ok && !claims.Expires.IsZero() {
		return Token{Value: []byte(value), Life: claims.Life}, nil
	}
	text, _, err := unstructured.NestedString(answer.Object, "status", "expirationTimestamp")
	if err != nil {
		return Token{}, errors.New("the answer to the TokenRequest does not say when the token expires")
	}
	expires, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return Token{}, errors.New("the answer to the TokenRequest does not say when the token expires")
	}
	seconds, _, err := unstructured.NestedInt64(answer.Object, "spec", "expirationSeconds")
	if err != nil || seconds < 0 || seconds > MaxTokenSeconds {
		return Token{}, errors.New("the answer to the TokenRequest does not say how long the token is good for")
	}
	// By the server's clock, which may not agree with the one here.
	issued := expires.Add(-time.Duration(seconds) * time.Second)
	return Token{Value: []byte(value), Life: Life{Issued: issued, Expires: expires}}, nil
}

// TokenClaims is what a ServiceAccount's token says about itself. Nothing of it
// is verified: it is for looking at a token that was found, not for trusting it.
type TokenClaims struct {
	Life
	Namespace, ServiceAccount string
	ServiceAccountUID         string
	Audiences                 []string
}

// ReadTokenClaims reads the claims of a token; ok is false for one that is not
// a ServiceAccount's.
func ReadTokenClaims(token string) (claims TokenClaims, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims, false
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return claims, false
	}
	var payload struct {
		IssuedAt  int64  `json:"iat"`
		ExpiresAt int64  `json:"exp"`
		Audience  any    `json:"aud"` // a text, or a list of them
		Subject   string `json:"sub"`
		Bound     struct {
			ServiceAccount struct {
				UID string `json:"uid"`
			} `json:"serviceaccount"`
		} `json:"kubernetes.io"`
	}
	if err := json.Unmarshal(data, &payload); err != nil {
		return claims, false
	}
	if payload.IssuedAt < 0 || payload.ExpiresAt < 0 || payload.IssuedAt > lastSecond || payload.ExpiresAt > lastSecond {
		return claims, false
	}
	account, ok := strings.CutPrefix(payload.Subject, "system:serviceaccount:")
	if !ok {
		return claims, false
	}
	claims.Namespace, claims.ServiceAccount, ok = strings.Cut(account, ":")
	switch audience := payload.Audience.(type) {
	case string:
		claims.Audiences = []string{audience}
	case []any:
		for _, a := range audience {
			if text, isText := a.(string); isText {
				claims.Audiences = append(claims.Audiences, text)
			}
		}
	}
	claims.ServiceAccountUID = payload.Bound.ServiceAccount.UID
	if payload.ExpiresAt != 0 {
		claims.Life = Life{Issued: time.Unix(payload.IssuedAt, 0), Expires: time.Unix(payload.ExpiresAt, 0)}
	}
	return claims, ok
}
