package carvel

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/valuesschema"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/version"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/yamlsize"
)

// Packages are the versions of packages that a cluster offers.
var Packages = schema.GroupVersionResource{Group: "data.packaging.carvel.dev", Version: "v1alpha1", Resource: "packages"}

// Package is one version of a package.
type Package struct {
	Name, Version string
	// Released is when it was released, as the Package says; the zero time if it does not.
	Released time.Time
	// Schema of its values; nil: the Package has none.
	Schema *valuesschema.Schema
	// Enforced tells that the version's values go to ytt, which refuses what its schema does not allow. Other templates take anything.
	Enforced bool
	// Limited tells that the controller passes the version over on a cluster whose Kubernetes, or whose controller, is another than it wants.
	Limited bool
}

// packageObject is the part of a Package that is looked at. What the controller would not mind either is of any type.
type packageObject struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Spec       struct {
		RefName        string `json:"refName"`
		Version        string `json:"version"`
		ReleasedAt     any    `json:"releasedAt"`
		Kubernetes     any    `json:"kubernetesVersionSelection"`
		KappController any    `json:"kappControllerVersionSelection"`
		Template       struct {
			Spec struct {
				Template []map[string]any `json:"template"`
			} `json:"spec"`
		} `json:"template"`
		ValuesSchema struct {
			OpenAPIv3 json.RawMessage `json:"openAPIv3"`
		} `json:"valuesSchema"`
	} `json:"spec"`
}

// ReadPackages are the Packages in a YAML file of any number of documents. Documents of other kinds are passed over. What can be read
// is returned beside an error about what cannot; a Package whose schema is too large is returned without it.
func ReadPackages(data []byte) ([]Package, error) {
	if len(documentStart.FindAllIndex(data, mostDocuments+1)) > mostDocuments {
		return nil, fmt.Errorf("too large: more than %d documents", mostDocuments)
	}
	var packages []Package
	var errs []error
	for i, document := range documents(data) {
		p, err := readPackage(document)
		if err != nil && len(errs) < mostErrors {
			errs = append(errs, fmt.Errorf("document %d: %w", i+1, err))
		}
		if p != nil {
			packages = append(packages, *p)
		}
	}
	return packages, errors.Join(errs...)
}

const (
	mostDocuments = 10_000 // of a file: as many versions of a package
	mostErrors    = 10     // that are told of a file
)

var documentStart = regexp.MustCompile(`(?m)^---(?:[ \t\r].*)?$`)

// documents splits a YAML file where a line starts a document. What follows the marker in its line stays with the document.
func documents(data []byte) [][]byte {
	var all [][]byte
	from := 0
	for _, at := range documentStart.FindAllIndex(data, -1) {
		all = append(all, data[from:at[0]])
		from = at[0]
	}
	return append(all, data[from:])
}

// readPackage is nil for a document that holds no Package.
func readPackage(document []byte) (*Package, error) {
	var text []byte
	err := yamlsize.Read(document, func(document []byte) (err error) {
		text, err = yaml.YAMLToJSON(document)
		return err
	})
	if err != nil {
		return nil, err
	}
	if bytes.Equal(text, []byte("null")) {
		return nil, nil
	}
	var kind struct{ APIVersion, Kind any }
	if err := json.Unmarshal(text, &kind); err != nil {
		return nil, errors.New("not a Kubernetes object")
	}
	if kind.Kind != "Package" || kind.APIVersion != Packages.GroupVersion().String() {
		return nil, nil
	}
	return decodePackage(text)
}

// ReadPackage reads a Package that a cluster offers; nil is one that cannot be read. One whose schema is too large is returned without it,
// beside an error.
func ReadPackage(obj *unstructured.Unstructured) (*Package, error) {
	text, err := obj.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return decodePackage(text)
}

// decodePackage returns what ReadPackage does.
func decodePackage(text []byte) (*Package, error) {
	var obj packageObject
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&obj); err != nil {
		return nil, fmt.Errorf("Package: %w", err)
	}
	if obj.Spec.RefName == "" || obj.Spec.Version == "" {
		return nil, errors.New("a Package has spec.refName and spec.version")
	}
	schema, err := valuesschema.New(obj.Spec.ValuesSchema.OpenAPIv3)
	return &Package{
		Name: obj.Spec.RefName, Version: obj.Spec.Version, Released: released(obj.Spec.ReleasedAt),
		Schema: schema, Enforced: takesYttValues(obj.Spec.Template.Spec.Template),
		Limited: obj.Spec.Kubernetes != nil || obj.Spec.KappController != nil,
	}, err
}

// released is the zero time for what is no time as in RFC 3339.
func released(at any) time.Time {
	text, _ := at.(string)
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// Check looks for values that the version does not take, as valuesschema.Schema does. Only ytt fails over a null if the schema has none.
func (p Package) Check(document map[string]any, partial bool) []valuesschema.Finding {
	findings := p.Schema.Check(document, partial)
	if !p.Enforced {
		findings = slices.DeleteFunc(findings, func(f valuesschema.Finding) bool { return f.Kind == valuesschema.NotNullable })
	}
	return findings
}

// takesYttValues finds the step that the controller hands the values to: the first one that can take any.
func takesYttValues(steps []map[string]any) bool {
	for _, step := range steps {
		for _, kind := range []string{"ytt", "helmTemplate", "cue"} {
			if _, found := step[kind]; found {
				return kind == "ytt"
			}
		}
	}
	return false
}

// OfPackage are the versions of one package.
func OfPackage(name string, packages []Package) []Package {
	return slices.DeleteFunc(slices.Clone(packages), func(p Package) bool { return p.Name != name })
}

// Versions of packages, each once and the newest first.
func Versions(packages []Package) []string {
	seen := make(map[string]bool, len(packages))
	versions := make([]string, 0, len(packages))
	for _, p := range packages {
		if !seen[p.Version] {
			seen[p.Version] = true
			versions = append(versions, p.Version)
		}
	}
	return version.NewestFirst(versions)
}

// Releases are the times at which versions of a package were released: one for each
// version, the zero time if its Package does not tell.
func Releases(packages []Package) map[string]time.Time {
	releases := make(map[string]time.Time, len(packages))
	for _, p := range packages {
		releases[p.Version] = p.Released
	}
	return releases
}

// Resolved is what a Selection finds among the versions of one package.
type Resolved struct {
	// Package is the version that the controller selects.
	Package
	// Others are versions that the Selection accepts as well, newest first.
	Others []Package
	// HeldBack is a version that the constraint takes and that would be selected if prereleases were admitted; nil: none, or the Selection
	// says which prereleases it admits.
	HeldBack *Package
}

// Next are the versions that may be selected instead of the one that is, newest first: a lower one if each above it is Limited, and
// the one that is held back, since what follows it is most likely like it.
func (r Resolved) Next() []Package {
	var next []Package
	if r.HeldBack != nil {
		next = append(next, *r.HeldBack)
	}
	limited := r.Limited
	for _, lower := range r.Others {
		if !limited {
			break
		}
		next, limited = append(next, lower), lower.Limited
	}
	return next
}

// Resolve selects among the versions of one package as version.Select does, whose errors it returns. HeldBack may be set beside an error.
func Resolve(packages []Package, s version.Selection) (Resolved, error) {
	byVersion := make(map[string]Package, len(packages))
	for _, p := range packages {
		byVersion[p.Version] = p
	}
	versions := Versions(packages)
	var r Resolved
	selected, err := version.Select(versions, s)
	if err == nil {
		r.Package = byVersion[selected]
	}
	for _, version := range s.Accepted(versions) {
		if version != selected {
			r.Others = append(r.Others, byVersion[version])
		}
	}
	all := version.Selection{Constraint: s.Constraint, Prereleases: &version.Prereleases{}}
	if highest, errAll := version.Select(versions, all); s.Prereleases == nil && errAll == nil && highest != selected {
		p := byVersion[highest]
		r.HeldBack = &p
	}
	return r, err
}
