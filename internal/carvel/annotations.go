package carvel

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Annotations of a PackageInstall that the controller acts upon.
const (
	// DowngradableAnnotation lets a PackageInstall go to a lower version.
	DowngradableAnnotation = "packaging.carvel.dev/downgradable"
	// OverlaysAnnotation names a Secret with ytt overlays.
	OverlaysAnnotation = "ext.packaging.carvel.dev/ytt-paths-from-secret-name"

	ignoreKubernetesAnnotation     = "packaging.carvel.dev/ignore-kubernetes-version-selection"
	ignoreKappControllerAnnotation = "packaging.carvel.dev/ignore-kapp-controller-version-selection"
	valuesOverlaysAnnotation       = "ext.packaging.carvel.dev/ytt-data-values-overlays"
	helmValuesAnnotation           = "ext.packaging.carvel.dev/helm-template-values-from-secret-name"
	helmNameAnnotation             = "ext.packaging.carvel.dev/helm-template-name"
	helmNamespaceAnnotation        = "ext.packaging.carvel.dev/helm-template-namespace"
	// Annotations of kapp: a values Secret whose name follows its content is deleted
	// once the PackageInstall that names another one has reconciled.
	groupAnnotation = "kapp.k14s.io/change-group"
	orderAnnotation = "kapp.k14s.io/change-rule.values"
	valuesGroup     = "carvel-gitops.github.io/values"
	valuesOrder     = "upsert before deleting " + valuesGroup

	fetchPrefix, fetchSuffix = "ext.packaging.carvel.dev/fetch-", "-secret-name"
)

// annotations are those of the spec and those that its fields stand for.
func (s PackageInstallSpec) annotations() map[string]string {
	all := cloneOrMake(s.Annotations)
	mark := func(annotation string, set bool) {
		if set {
			all[annotation] = ""
		}
	}
	name := func(annotation, value string) {
		if value != "" {
			all[annotation] = value
		}
	}
	mark(DowngradableAnnotation, s.AllowDowngrade)
	mark(ignoreKubernetesAnnotation, s.IgnoreKubernetesVersionSelection)
	mark(ignoreKappControllerAnnotation, s.IgnoreKappControllerVersionSelection)
	mark(valuesOverlaysAnnotation, s.YttDataValuesOverlays)
	name(helmNameAnnotation, s.HelmTemplateName)
	name(helmNamespaceAnnotation, s.HelmTemplateNamespace)
	if s.HashValuesName {
		all[orderAnnotation] = valuesOrder
	}
	if len(s.YttOverlays) > 0 {
		all[OverlaysAnnotation] = OverlaysSecretName(s.Name)
	}
	for index, secret := range s.FetchSecrets {
		all[fetchPrefix+index+fetchSuffix] = secret
	}
	// The controller sorts the suffixes as text.
	digits := len(strconv.Itoa(len(s.HelmTemplateValuesSecrets)))
	for i, secret := range s.HelmTemplateValuesSecrets {
		all[fmt.Sprintf("%s.%0*d", helmValuesAnnotation, digits, i)] = secret
	}
	return all
}

// takeAnnotations is the reverse of annotations: it moves those that fields
// stand for out of s.Annotations. The one of the overlays stays, since the file
// beside the PackageInstall tells what it refers to.
func (s *PackageInstallSpec) takeAnnotations() {
	take := func(name string) (string, bool) {
		value, ok := s.Annotations[name]
		s.Annotations = withoutAnnotations(s.Annotations, name)
		return value, ok
	}
	_, s.AllowDowngrade = take(DowngradableAnnotation)
	if s.Annotations[orderAnnotation] == valuesOrder {
		take(orderAnnotation)
	}
	_, s.IgnoreKubernetesVersionSelection = take(ignoreKubernetesAnnotation)
	_, s.IgnoreKappControllerVersionSelection = take(ignoreKappControllerAnnotation)
	_, s.YttDataValuesOverlays = take(valuesOverlaysAnnotation)
	s.HelmTemplateName, _ = take(helmNameAnnotation)
	s.HelmTemplateNamespace, _ = take(helmNamespaceAnnotation)
	for _, name := range slices.Sorted(maps.Keys(s.Annotations)) {
		switch index := fetchIndex(name); {
		case index != "":
			s.FetchSecrets = cloneOrMake(s.FetchSecrets)
			s.FetchSecrets[index], _ = take(name)
		case isOf(helmValuesAnnotation, name):
			secret, _ := take(name)
			s.HelmTemplateValuesSecrets = append(s.HelmTemplateValuesSecrets, secret)
		}
	}
	if len(s.Annotations) == 0 {
		s.Annotations = nil
	}
}

// isOf tells whether an annotation is one of those that name a list of Secrets: the
// list's own, or with a suffix that says where in the list.
func isOf(list, annotation string) bool {
	return annotation == list || strings.HasPrefix(annotation, list+".")
}

// fetchIndex is N of the annotation for fetch entry N, "" for any other.
func fetchIndex(annotation string) string {
	index, isFetch := strings.CutPrefix(annotation, fetchPrefix)
	index, ends := strings.CutSuffix(index, fetchSuffix)
	if !isFetch || !ends || ValidateFetchIndex(index) != nil {
		return ""
	}
	return index
}

// ValidateFetchIndex checks the index of an entry in a package's fetch list.
func ValidateFetchIndex(index string) error {
	if n, err := strconv.Atoi(index); err != nil || n < 0 || n > 99 || strconv.Itoa(n) != index {
		return fmt.Errorf("%q is not the position of an entry in the package's fetch list, such as 0", index)
	}
	return nil
}

// ValidateOverlayFile checks the name of an overlay: a key of a Secret that ytt
// takes for a file of its own.
func ValidateOverlayFile(name string) error {
	if err := ValidateSecretKey(name); err != nil {
		return err
	}
	if !slices.Contains([]string{".yaml", ".yml", ".star"}, path.Ext(name)) {
		return fmt.Errorf("%q ends in neither .yaml, .yml nor .star, so that ytt would pass it over", name)
	}
	return nil
}

// AnnotationAttribute is the attribute that an annotation belongs to, "" for
// one that stands for itself.
func AnnotationAttribute(annotation string) string {
	switch annotation {
	case DowngradableAnnotation:
		return "allow_downgrade"
	case ignoreKubernetesAnnotation:
		return "extensions.ignore_kubernetes_version_selection"
	case ignoreKappControllerAnnotation:
		return "extensions.ignore_kapp_controller_version_selection"
	case valuesOverlaysAnnotation:
		return "extensions.ytt_data_values_overlays"
	case helmNameAnnotation:
		return "extensions.helm_template_name"
	case helmNamespaceAnnotation:
		return "extensions.helm_template_namespace"
	}
	if isOf(helmValuesAnnotation, annotation) {
		return "extensions.helm_template_values_secrets"
	}
	if fetchIndex(annotation) != "" {
		return "extensions.fetch_secrets"
	}
	return ""
}
