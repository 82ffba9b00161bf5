package standin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
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

// decrypt puts the plain text of each *.sops.yaml below root, or below the paths of the
// step, in its place, under a name without .sops. The keys are read anew each time; their
// Secret is not watched.
func (r *appRun) decrypt(ctx context.Context, options any, root string) result {
	var step sopsStep
	if err := convert(options, &step); err != nil {
		return broken("Templating dir: " + err.Error())
	}
	if step.Age == nil || step.Age.PrivateKeysSecretRef == nil || step.PGP != nil {
		return broken("Templating dir: the stand-in does not run a sops step but with age.privateKeysSecretRef")
	}
	data, err := r.c.keyedData(ctx, secretsGVR.Resource, key{r.key.namespace, step.Age.PrivateKeysSecretRef.Name})
	if err != nil {
		return broken("Templating dir: " + err.Error())
	}
	var keys strings.Builder
	for _, name := range slices.Sorted(maps.Keys(data)) {
		keys.WriteString(data[name] + "\n")
	}
	return decryptBelow(root, step.Paths, keys.String())
}

func decryptBelow(root string, paths []string, keys string) result {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	var dirs []string
	for _, path := range paths { // files among them at once
		at, err := scopedPath(root, path)
		if err != nil {
			return broken("Decrypting dir: Checking path: " + err.Error())
		}
		info, err := os.Stat(at)
		if err != nil {
			return broken("Decrypting dir: " + err.Error())
		}
		if info.IsDir() {
			dirs = append(dirs, at)
		} else if err := decryptFile(root, at, keys); err != nil {
			return failed("Templating dir", err.Error())
		}
	}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			return decryptFile(root, path, keys)
		})
		if err != nil {
			return failed("Templating dir", err.Error())
		}
	}
	return result{}
}

// decryptFile decrypts a file if its name says that it is encrypted.
func decryptFile(root, path, keys string) error {
	base, extension, encrypted := cutSops(path)
	if !encrypted {
		return nil
	}
	content, err := os.ReadFile(path) //nolint:gosec // below the scratch directory
	if err != nil {
		return err
	}
	plain, err := sops.Decrypt(content, keys)
	if err != nil {
		name, _ := filepath.Rel(root, path)
		return fmt.Errorf("the stand-in's sops: file '%s': %w", filepath.ToSlash(name), err)
	}
	return errors.Join(os.Remove(path), os.WriteFile(base+extension, plain, 0o600))
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
