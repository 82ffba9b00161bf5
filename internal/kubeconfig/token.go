package kubeconfig

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// lastSecond is the last one of the year 9999, after which a time has no form in
// RFC 3339. No API server issues a token beyond it.
const lastSecond = 253402300799

// Life is when a token was issued and when it expires. It is zero for a token
// that does not expire.
type Life struct {
	Issued, Expires time.Time
}

// RenewalDue reports whether less than a third of the life is left.
func (l Life) RenewalDue(now time.Time) bool {
	return l.Expires.Sub(now) < l.Expires.Sub(l.Issued)/3
}

// Token is a ServiceAccount's token.
type Token struct {
	Value []byte
	Life
}

// Claims is what a ServiceAccount's token says about itself. Nothing of it
// is verified: it is for looking at a token that was found, not for trusting it.
type Claims struct {
	Life
	Namespace, ServiceAccount string
	ServiceAccountUID         string
	Audiences                 []string
}

// ReadClaims reads the claims of a token; ok is false for one that is not
// a ServiceAccount's.
func ReadClaims(token string) (claims Claims, ok bool) {
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
