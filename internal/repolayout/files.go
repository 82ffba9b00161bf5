package repolayout

import (
	"fmt"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/ytt"
)

// FileNames are the files that a package install may consist of.
var FileNames = []string{PackageInstallFile, ParamsFile, EncryptedParamsFile, OverlaysFile}

// AllNames are FileNames and the file with the mark.
var AllNames = append([]string{MarkFile}, FileNames...)

// Files are the bytes of a package install, by the file's name. What has no
// entry is not there.
type Files map[string][]byte

// Render writes a spec as YAML without comments, keys sorted, so that the same
// spec gives the same bytes.
func Render(spec carvel.PackageInstallSpec) (Files, error) {
	files := Files{}
	install, err := carvel.PackageInstall(spec)
	if err != nil {
		return nil, err
	}
	values, err := carvel.ValuesSecret(spec)
	if err != nil {
		return nil, err
	}
	objects := map[string]map[string]any{PackageInstallFile: install.Object}
	if values != nil {
		objects[ParamsFile] = values.Object
	}
	if overlays := carvel.OverlaysSecret(spec); overlays != nil {
		objects[OverlaysFile] = overlays.Object
	}
	for name, object := range objects {
		if files[name], err = ytt.Write(object); err != nil {
			return nil, fmt.Errorf("render %s: %w", name, err)
		}
	}
	return files, nil
}

// Parse reads files back, by whomever they were written, and returns those of
// them that belong to the package install. Errors name the file and never quote
// a value.
func Parse(found Files) (carvel.PackageInstallSpec, Files, error) {
	ours := Files{PackageInstallFile: found[PackageInstallFile]}
	if params, ok := found[ParamsFile]; ok {
		ours[ParamsFile] = params
	}
	spec, err := carvel.ReadPackageInstall(found[PackageInstallFile])
	if err != nil {
		return spec, ours, fmt.Errorf("%s: %w", PackageInstallFile, err)
	}
	if params, ok := ours[ParamsFile]; ok {
		if err := spec.SetValues(params); err != nil {
			return spec, ours, fmt.Errorf("%s: %w", ParamsFile, err)
		}
	}
	if params, ok := found[EncryptedParamsFile]; ok && spec.Values == nil {
		referred, err := spec.SetHiddenValues(params)
		if err != nil {
			return spec, ours, fmt.Errorf("%s: %w", EncryptedParamsFile, err)
		}
		if referred {
			ours[EncryptedParamsFile] = params
		}
	}
	if overlays, ok := found[OverlaysFile]; ok {
		referred, err := spec.SetOverlays(overlays)
		if err != nil {
			return spec, ours, fmt.Errorf("%s: %w", OverlaysFile, err)
		}
		if referred {
			ours[OverlaysFile] = overlays
		}
	}
	return spec, ours, nil
}

// Canonical are the bytes that Render gives for what found files say, for each
// that says nothing beyond it. A file with a field, a key or a document that no
// spec has is not among them.
func Canonical(spec carvel.PackageInstallSpec, found Files) (Files, error) {
	rendered, err := Render(spec)
	if err != nil {
		return nil, err
	}
	same := Files{}
	for name, data := range found {
		if carvel.SameFile(data, rendered[name]) {
			same[name] = rendered[name]
		}
	}
	return same, nil
}

// Shown are the files as a plan may show them: paths to content, every value in
// a Secret masked.
func (l Layout) Shown(i Install, files Files) map[string]string {
	shown := make(map[string]string, len(files))
	for name, data := range files {
		mask := carvel.MaskSecret
		switch name {
		case PackageInstallFile:
			mask = carvel.MaskSecrets
		case EncryptedParamsFile:
			mask = carvel.MaskEncrypted
		}
		shown[l.Path(i, name)] = mask(data)
	}
	return shown
}
