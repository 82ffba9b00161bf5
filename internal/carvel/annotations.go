package carvel

import (
	"fmt"
	"maps"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Annotations of a PackageInstall that the controller acts upon, beside those in the
// tags of PackageInstallSpec.
const (
	// OverlaysAnnotation names a Secret with ytt overlays.
	OverlaysAnnotation = "ext.packaging.carvel.dev/ytt-paths-from-secret-name"
)

// Those that the judgement of an App looks at one by one.
var (
	valuesOverlaysAnnotation = annotationOf("YttDataValuesOverlays")
	helmValuesAnnotation     = annotationOf("HelmTemplateValuesSecrets")
	helmNameAnnotation       = annotationOf("HelmTemplateName")
	helmNamespaceAnnotation  = annotationOf("HelmTemplateNamespace")
)

func annotationOf(field string) string {
	f, ok := reflect.TypeFor[PackageInstallSpec]().FieldByName(field)
	if !ok {
		panic("carvel: no field " + field)
	}
	return f.Tag.Get("annotation")
}

// annotated are the fields of PackageInstallSpec that annotations stand for.
var annotated = slices.Collect(func(yield func(reflect.StructField) bool) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[PackageInstallSpec]()) {
		if f.Tag.Get("annotation") != "" && !yield(f) {
			return
		}
	}
})

// annotate adds the annotations that the fields of a spec stand for: a bool that is set
// one without a value, a text its value, a list one for each element, whose names end in
// its place in the list, and a map one for each key, which is in the place of the *.
func annotate(s PackageInstallSpec, into map[string]string) {
	for _, field := range annotated {
		name := field.Tag.Get("annotation")
		switch value := reflect.ValueOf(s).FieldByIndex(field.Index).Interface().(type) {
		case bool:
			if value {
				into[name] = ""
			}
		case string:
			if value != "" {
				into[name] = value
			}
		case []string:
			digits := len(strconv.Itoa(len(value))) // the controller sorts the suffixes as text
			for i, element := range value {
				into[fmt.Sprintf("%s.%0*d", name, digits, i)] = element
			}
		case map[string]string:
			for key, element := range value {
				into[strings.Replace(name, "*", key, 1)] = element
			}
		default:
			panic(fmt.Sprintf("carvel: no annotation for a %s", field.Type))
		}
	}
}

// takeAnnotations is the reverse of annotate: it moves annotations into the fields that
// stand for them.
func takeAnnotations(s *PackageInstallSpec, from map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(from)) {
		field, key := fieldOf(name)
		if field == nil {
			continue
		}
		value := from[name]
		delete(from, name)
		switch into := reflect.ValueOf(s).Elem().FieldByIndex(field.Index).Addr().Interface().(type) {
		case *bool:
			*into = true
		case *string:
			*into = value
		case *[]string:
			*into = append(*into, value)
		case *map[string]string:
			*into = cloneOrMake(*into)
			(*into)[key] = value
		}
	}
}

// fieldOf is the field that an annotation stands for, nil if it stands for itself;
// and the key of a field that is a map.
func fieldOf(annotation string) (field *reflect.StructField, key string) {
	for i := range annotated {
		name := annotated[i].Tag.Get("annotation")
		switch annotated[i].Type.Kind() {
		case reflect.Slice:
			if isOf(name, annotation) {
				return &annotated[i], ""
			}
		case reflect.Map:
			before, after, _ := strings.Cut(name, "*")
			key, begins := strings.CutPrefix(annotation, before)
			key, ends := strings.CutSuffix(key, after)
			if begins && ends && ValidateFetchIndex(key) == nil {
				return &annotated[i], key
			}
		default:
			if annotation == name {
				return &annotated[i], ""
			}
		}
	}
	return nil, ""
}

// AnnotationField is the field of PackageInstallSpec that an annotation stands for, such
// as AllowDowngrade or Extensions.FetchSecrets, "" for an annotation that stands for
// itself.
func AnnotationField(annotation string) string {
	field, _ := fieldOf(annotation)
	switch {
	case field == nil:
		return ""
	case len(field.Index) > 1:
		return reflect.TypeFor[PackageInstallSpec]().FieldByIndex(field.Index[:1]).Name + "." + field.Name
	}
	return field.Name
}

// isOf reports whether an annotation is one of those that name a list of Secrets: the
// list's own, or with a suffix that says where in the list.
func isOf(list, annotation string) bool {
	return annotation == list || strings.HasPrefix(annotation, list+".")
}

// fetchIndex is N of the annotation for fetch entry N, "" for any other.
func fetchIndex(annotation string) string {
	_, key := fieldOf(annotation)
	return key
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
