package carvel

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// Prefixes of the annotations of a PackageInstall that the controller acts upon.
var extensionPrefixes = []string{"ext.packaging.carvel.dev/", "packaging.carvel.dev/"}

// manualAnnotation on the App of a PackageInstall keeps the controller from
// changing it.
const manualAnnotation = "ext.packaging.carvel.dev/manually-controlled"

// extensions are the annotations that the controller acts upon.
func extensions(annotations map[string]string) map[string]string {
	found := map[string]string{}
	for name, value := range annotations {
		if slices.ContainsFunc(extensionPrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			found[name] = value
		}
	}
	return found
}

// Follows reports whether a PackageInstall has the annotations that are wanted, and none
// else that changes what its App reads.
func (s InstallStatus) Follows(wanted map[string]string) bool {
	live := s.Extensions
	for name, value := range wanted {
		if got, has := live[name]; !has || got != value {
			return false
		}
	}
	for name := range live {
		if _, is := wanted[name]; !is && strings.HasPrefix(name, extensionPrefixes[0]) {
			return false
		}
	}
	return true
}

// ExtensionSecrets are the names of the Secrets that annotations have the App of
// a PackageInstall read.
func ExtensionSecrets(annotations map[string]string) []string {
	var names []string
	for _, annotation := range slices.Sorted(maps.Keys(annotations)) {
		if name := annotations[annotation]; name != "" && (isOf(OverlaysAnnotation, annotation) || isOf(helmValuesAnnotation, annotation) || fetchIndex(annotation) != "") {
			names = append(names, name)
		}
	}
	return names
}

// installAppSpec is what an App has taken over from its PackageInstall: if it
// was rendered from one, by package packageinstall of kapp-controller.
type installAppSpec struct {
	SyncPeriod string           `json:"syncPeriod"`
	Fetch      []map[string]any `json:"fetch"`
	Template   []struct {
		Ytt *struct {
			Inline *struct {
				PathsFrom []secretSource `json:"pathsFrom"`
			} `json:"inline"`
			ValuesFrom []secretSource `json:"valuesFrom"`
		} `json:"ytt"`
		HelmTemplate *struct {
			Name       string         `json:"name"`
			Namespace  string         `json:"namespace"`
			ValuesFrom []secretSource `json:"valuesFrom"`
		} `json:"helmTemplate"`
	} `json:"template"`
}

type secretSource struct {
	SecretRef *LocalRef `json:"secretRef"`
}

// installApp is what the judge knows of a spec.
type installApp struct {
	paths, yttValues, helmValues map[string]bool // the Secrets of the first ytt and helmTemplate steps
	fetch                        map[string]string
	hasYtt, hasHelm, helmFirst   bool
	helmName, helmNamespace      string
	period                       time.Duration   // 0 if it is not known
	secrets                      map[string]bool // all that its fetch and template steps read
}

func readInstallApp(spec map[string]any) (installApp, error) {
	a := installApp{fetch: map[string]string{}, secrets: map[string]bool{}}
	for _, part := range []string{"fetch", "template"} {
		collectSecrets(spec[part], a.secrets)
	}
	var s installAppSpec
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(spec, &s); err != nil {
		return a, err
	}
	if period, err := time.ParseDuration(s.SyncPeriod); err == nil {
		a.period = period
	}
	for i, entry := range s.Fetch {
		for kind, options := range entry {
			if kind == "inline" || kind == "path" {
				continue
			}
			fields, _ := options.(map[string]any)
			if kind == "helmChart" {
				repository, found, err := unstructured.NestedMap(fields, "repository")
				if err != nil || !found {
					continue
				}
				fields = repository
			}
			name, _, err := unstructured.NestedString(fields, "secretRef", "name")
			if err != nil {
				return a, err
			}
			a.fetch[strconv.Itoa(i)] = name
		}
	}
	for _, step := range s.Template {
		if step.Ytt != nil && !a.hasYtt {
			a.hasYtt = true
			a.yttValues = secretNames(step.Ytt.ValuesFrom)
			if step.Ytt.Inline != nil {
				a.paths = secretNames(step.Ytt.Inline.PathsFrom)
			}
		}
		if step.HelmTemplate != nil && !a.hasHelm {
			a.hasHelm, a.helmFirst = true, !a.hasYtt
			a.helmValues = secretNames(step.HelmTemplate.ValuesFrom)
			a.helmName, a.helmNamespace = step.HelmTemplate.Name, step.HelmTemplate.Namespace
		}
	}
	return a, nil
}

// collectSecrets adds the names of the Secrets that a part of a spec refers to.
func collectSecrets(part any, into map[string]bool) {
	switch part := part.(type) {
	case []any:
		for _, item := range part {
			collectSecrets(item, into)
		}
	case map[string]any:
		for field, value := range part {
			ref, isMap := value.(map[string]any)
			if name, isText := ref["name"].(string); isMap && isText && strings.HasSuffix(strings.ToLower(field), "secretref") {
				into[name] = true
			}
			collectSecrets(value, into)
		}
	}
}

func secretNames(sources []secretSource) map[string]bool {
	names := map[string]bool{}
	for _, s := range sources {
		if s.SecretRef != nil {
			names[s.SecretRef.Name] = true
		}
	}
	return names
}

// behind is the Secret or the annotation that the App does not follow yet, "" if
// it does: what a PackageInstall's annotations ask for raises no generation, so
// that its status does not tell. values are the names in the PackageInstall's spec,
// and dropped those that annotations have named before.
func (a installApp) behind(annotations map[string]string, values, dropped []string) string {
	if a.hasYtt && !a.helmFirst {
		into := a.yttValues
		if _, asPaths := annotations[valuesOverlaysAnnotation]; asPaths {
			into = a.paths
		}
		for _, name := range values {
			if !into[name] {
				return "Secret " + name
			}
		}
	}
	for _, annotation := range slices.Sorted(maps.Keys(annotations)) {
		value := annotations[annotation]
		index := fetchIndex(annotation)
		fetched, hasFetch := a.fetch[index]
		switch {
		case isOf(OverlaysAnnotation, annotation) && a.hasYtt && !a.paths[value],
			isOf(helmValuesAnnotation, annotation) && a.hasHelm && !a.helmValues[value],
			index != "" && hasFetch && fetched != value:
			return "Secret " + value
		case annotation == helmNameAnnotation && a.hasHelm && a.helmName != value,
			annotation == helmNamespaceAnnotation && a.hasHelm && a.helmNamespace != value:
			return "the annotation " + annotation
		}
	}
	named := append(ExtensionSecrets(annotations), values...)
	for _, name := range dropped {
		if !slices.Contains(named, name) && (a.paths[name] || a.helmValues[name]) {
			return "the end of Secret " + name
		}
	}
	return ""
}
