package installfiles

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/sops"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/ytt"
)

func inFile(name string, err error) error { return fmt.Errorf("%s: %w", name, err) }

// Parse reads files back, by whomever they were written, and returns those of
// them that belong to the package install. Errors name the file and never quote
// a value.
func Parse(found Contents) (Spec, Contents, error) {
	ours := Contents{repolayout.PackageInstallFile: found[repolayout.PackageInstallFile]}
	params, hasParams := found[repolayout.ParamsFile]
	if hasParams {
		ours[repolayout.ParamsFile] = params
	}
	var s Spec
	p, install, err := pairOf(found)
	if s.Install = install; err != nil {
		return s, ours, err
	}
	if period, err := carvel.CanonicalDuration(s.Install.SyncPeriod); err == nil && s.Install.SyncPeriod != "" {
		s.Install.SyncPeriod = period
	}
	if s.Install.Annotations[orderAnnotation] == valuesOrder {
		s.dropAnnotation(orderAnnotation)
	}
	switch {
	case p.values != nil:
		if err := s.readValues(p.values); err != nil {
			return s, ours, fmt.Errorf("%s: line %d: %w", p.values.File, p.values.Line, err)
		}
	case hasParams && !slices.ContainsFunc(p.all, func(d placed) bool { return d.File == repolayout.ParamsFile }):
		return s, ours, inFile(repolayout.ParamsFile, errors.New("no Secret in it"))
	}
	if encrypted, ok := found[repolayout.EncryptedParamsFile]; ok && s.Values == nil {
		referred, err := s.readHiddenValues(encrypted)
		if err != nil {
			return s, ours, inFile(repolayout.EncryptedParamsFile, err)
		}
		if referred {
			ours[repolayout.EncryptedParamsFile] = encrypted
		}
	}
	if overlays, ok := found[repolayout.OverlaysFile]; ok {
		referred, err := s.readOverlays(overlays)
		if err != nil {
			return s, ours, inFile(repolayout.OverlaysFile, err)
		}
		if referred {
			ours[repolayout.OverlaysFile] = overlays
			return s, ours, nil
		}
	}
	if p.overlays != nil && p.overlays != p.values {
		secret, _ := carvel.SecretOf(p.overlays.value)
		if _, err := s.takeOverlays(secret); err != nil {
			return s, ours, fmt.Errorf("%s: line %d: %w", p.overlays.File, p.overlays.Line, err)
		}
	}
	return s, ours, nil
}

// Canonical are the bytes that Render gives for what found files say, for each
// that says nothing beyond it. A file with a field or a key that no spec has is not
// among them; documents that are not the package install's make no difference.
func Canonical(s Spec, found Contents) (Contents, error) {
	s.Recipients = nil // what is encrypted has no other form
	rendered, err := Render(s)
	if err != nil {
		return nil, err
	}
	same, foreign := Contents{}, Foreign(found)
	for name, data := range found {
		if sameFile(name, data, rendered.contents[name], foreign) {
			same[name] = rendered.contents[name]
		}
	}
	return same, nil
}

// readValues takes over what the values Secret holds. Of a Secret
// with several keys the controller reads all, in the order of their names.
func (s *Spec) readValues(d *placed) error {
	secret, _ := carvel.SecretOf(d.value)
	texts, err := secret.Texts()
	if err != nil {
		return err
	}
	if len(texts) == 0 {
		return errors.New("expected a values Secret with a key, found none")
	}
	s.Values = map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		values, err := ytt.ParseValues([]byte(s.withoutHeader(texts[key])))
		if err != nil {
			return fmt.Errorf("key %q: %w", key, err)
		}
		s.Values = ytt.Merge(s.Values, values)
	}
	s.ValuesSecretName = secret.Name
	s.dropSecret(secret.Name)
	for _, slow := range []bool{false, true} {
		s.WriteOnlyValues = slow
		if base, ok := s.splitHashedName(secret.Name); ok {
			s.ValuesSecretName, s.HashValuesName = base, true
			return nil
		}
	}
	s.WriteOnlyValues = false
	return nil
}

// readHiddenValues takes over the name in an encrypted file with a values Secret, and
// for whom it is encrypted. It reports whether the PackageInstall refers to it.
func (s *Spec) readHiddenValues(data []byte) (ours bool, err error) {
	secret, err := carvel.ReadSecretFile(data)
	if err != nil || !slices.Contains(s.Install.ValuesSecrets(), secret.Name) {
		return false, err
	}
	s.HiddenValuesSecret = secret.Name
	s.dropSecret(secret.Name)
	s.Recipients, err = sops.Recipients(data)
	return true, err
}

// dropSecret removes our own values Secret from those that the PackageInstall names.
func (s *Spec) dropSecret(own string) {
	s.Install.Values = slices.DeleteFunc(s.Install.Values, func(v carvel.PackageValues) bool { return v.SecretRef.Name == own })
	if len(s.Install.Values) == 0 {
		s.Install.Values = nil
	}
}

// readOverlays takes over what the file of the overlays Secret holds, and tells
// whether the PackageInstall refers to it.
func (s *Spec) readOverlays(data []byte) (ours bool, err error) {
	named := s.Install.Annotations[carvel.OverlaysAnnotation]
	if named == "" {
		return false, nil
	}
	secret, err := carvel.ReadSecretFile(data)
	if err != nil || secret.Name != named {
		return false, err
	}
	return s.takeOverlays(secret)
}

func (s *Spec) takeOverlays(secret carvel.SecretFile) (ours bool, err error) {
	if s.Overlays, err = secret.Texts(); err != nil || len(s.Overlays) == 0 {
		return false, err
	}
	s.dropAnnotation(carvel.OverlaysAnnotation)
	return true, nil
}

func (s *Spec) dropAnnotation(name string) {
	delete(s.Install.Annotations, name)
	if len(s.Install.Annotations) == 0 {
		s.Install.Annotations = nil
	}
}
