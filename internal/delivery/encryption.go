package delivery

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/sops"
)

// ValidateRecipient checks an age recipient.
func ValidateRecipient(recipient string) error { return sops.ValidateRecipient(recipient) }

// render are the spec's files, one that is to be encrypted still in clear text.
func (p PackageInstall) render() (repolayout.Files, error) {
	files, err := repolayout.Render(p.PackageInstallSpec)
	if err != nil || len(p.Recipients) == 0 {
		return files, err
	}
	if params, ok := files[repolayout.ParamsFile]; ok {
		delete(files, repolayout.ParamsFile)
		files[repolayout.EncryptedParamsFile] = params
	}
	return files, nil
}

// encrypt are the files as they go into the repository. Those that are kept are
// encrypted already.
func (p PackageInstall) encrypt(files, kept repolayout.Files) (repolayout.Files, error) {
	plain, ok := files[repolayout.EncryptedParamsFile]
	if _, is := kept[repolayout.EncryptedParamsFile]; is || !ok {
		return files, nil
	}
	encrypted, err := sops.Encrypt(plain, p.Recipients, time.Now())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", repolayout.EncryptedParamsFile, err)
	}
	out := maps.Clone(files)
	out[repolayout.EncryptedParamsFile] = encrypted
	return out, nil
}

// says stands for what an encrypted file says and to whom.
func (p PackageInstall) says(files repolayout.Files) Blobs {
	plain, ok := files[repolayout.EncryptedParamsFile]
	if !ok {
		return nil
	}
	text := append([]byte(strings.Join(p.Recipients, " ")+"\n"), plain...)
	return Blobs{repolayout.EncryptedParamsFile: gitops.BlobHash(text)}
}
