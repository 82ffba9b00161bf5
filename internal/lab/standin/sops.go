package standin

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/sops"
)

// sopsStep is a template step.
type sopsStep struct {
	Age *struct {
		PrivateKeysSecretRef *nameRef `json:"privateKeysSecretRef"`
	} `json:"age"`
	PGP   map[string]any `json:"pgp"`
	Paths []string       `json:"paths"`
}

// decrypt puts the plain text of each *.sops.yaml in its place, under a name without
// .sops. The keys are read anew each time; their Secret is not watched.
func (r *appRun) decrypt(ctx context.Context, options any, files []file) ([]file, result) {
	var step sopsStep
	if err := convert(options, &step); err != nil {
		return nil, broken("Templating dir: " + err.Error())
	}
	if step.Age == nil || step.Age.PrivateKeysSecretRef == nil || step.PGP != nil || step.Paths != nil {
		return nil, broken("Templating dir: the stand-in does not run a sops step but with age.privateKeysSecretRef alone")
	}
	data, err := r.c.keyedData(ctx, secretsGVR.Resource, key{r.key.namespace, step.Age.PrivateKeysSecretRef.Name})
	if err != nil {
		return nil, broken("Templating dir: " + err.Error())
	}
	var keys strings.Builder
	for _, name := range slices.Sorted(maps.Keys(data)) {
		keys.WriteString(data[name] + "\n")
	}
	plain := slices.Clone(files)
	for i, f := range files {
		base, extension, encrypted := cutSops(f.name)
		if !encrypted {
			continue
		}
		content, err := sops.Decrypt([]byte(f.content), keys.String())
		if err != nil {
			return nil, failed("Templating dir", fmt.Sprintf("the stand-in's sops: file '%s': %v", f.name, err))
		}
		plain[i] = file{base + extension, string(content)}
	}
	slices.SortStableFunc(plain, func(a, b file) int { return strings.Compare(a.name, b.name) })
	return plain, result{}
}

// cutSops takes .sops out of the name of a file that has it before its extension.
func cutSops(name string) (base, extension string, found bool) {
	for _, extension := range []string{".yaml", ".yml"} {
		if base, found := strings.CutSuffix(name, ".sops"+extension); found {
			return base, extension, true
		}
	}
	return name, "", false
}
