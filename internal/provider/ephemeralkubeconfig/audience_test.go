package ephemeralkubeconfig_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

func hasAudience(token, want string) error {
	parts := strings.Split(token, ".")
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return err
	}
	var payload struct {
		Audiences []string `json:"aud"`
	}
	if err := json.Unmarshal(data, &payload); err != nil {
		return err
	}
	if !slices.Equal(payload.Audiences, []string{want}) {
		return fmt.Errorf("the token is for %v", payload.Audiences)
	}
	return nil
}
