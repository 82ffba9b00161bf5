package carvel

import (
	"encoding/json"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/slowdigest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/ytt"
)

// digestDigits is how many hexadecimal digits a values digest has.
const digestDigits = 32

// ValuesDigest tells values of a package from others by what they say: comments, quotes
// and the order of keys make no difference, if a text is YAML. texts are in the order in
// which later ones have the last word.
//
// It is in states and plans, and values may hold secrets, so that it is a slow digest. The
// package is the salt, and not the cluster: the same values have the same digest on each.
func ValuesDigest(packageName string, texts ...[]byte) (string, error) {
	meant := []any{}
	for _, text := range texts {
		documents, err := ytt.Read(text)
		if err != nil {
			documents = []any{map[string]any{"text": text}}
		}
		meant = append(meant, documents...)
	}
	data, err := json.Marshal(meant)
	if err != nil {
		return "", err
	}
	return slowdigest.Text("values of the package "+packageName, data, digestDigits), nil
}
