package installfiles

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/ytt"
)

// Document is one of a file's documents, or an object that a package install makes.
type Document struct {
	File       string
	Line       int // that it begins in
	Kind, Name string
}

func (d Document) String() string {
	what := strings.TrimSpace(d.Kind + " " + d.Name)
	if d.Kind == "" {
		what = "a document without a kind"
	}
	return fmt.Sprintf("%s line %d: %s", d.File, d.Line, what)
}

// placed is a document, and where it is.
type placed struct {
	Document
	value any
}

// placedIn are the documents of a file.
func placedIn(file string, data []byte) ([]placed, error) {
	documents, err := ytt.Documents(data)
	if err != nil {
		return nil, inFile(file, Unreadable(data, err))
	}
	all := make([]placed, len(documents))
	for i, d := range documents {
		all[i] = placed{Document{File: file, Line: d.Line}, d.Value}
		if m, ok := d.Value.(map[string]any); ok {
			all[i].Kind, _ = m["kind"].(string)
			metadata, _ := m["metadata"].(map[string]any)
			all[i].Name, _ = metadata["name"].(string)
			continue
		}
		if hint := notAnObject(data); hint != nil {
			return nil, inFile(file, &ytt.Error{Line: d.Line, Reason: hint.Error()})
		}
	}
	return all, nil
}

var errPointer = errors.New("a pointer of Git LFS, and the content is not in the repository: commit the file itself, and leave it out of .gitattributes")

// notAnObject says what stands in the place of a file that is no YAML of objects, nil
// if it is nothing that is known.
func notAnObject(data []byte) error {
	switch {
	case bytes.HasPrefix(data, []byte("version https://git-lfs.github.com/")):
		return errPointer
	case bytes.HasPrefix(data, []byte("\x00GITCRYPT")):
		return errors.New("encrypted by git-crypt, whose key the provider has not: commit the file itself")
	case bytes.HasPrefix(data, []byte("$ANSIBLE_VAULT")):
		return errors.New("encrypted by Ansible Vault: commit the file itself")
	}
	return nil
}

var conflictMarker = regexp.MustCompile(`(?m)^(<{7}|>{7}|={7})( |$)`)

// Unreadable is the error about a file that is not YAML, with what it is instead.
func Unreadable(data []byte, err error) error {
	line := func(at int) int { return 1 + bytes.Count(data[:at], []byte("\n")) }
	if hint := notAnObject(data); hint != nil {
		return &ytt.Error{Line: 1, Reason: hint.Error()}
	}
	if at := conflictMarker.FindIndex(data); at != nil {
		return &ytt.Error{Line: line(at[0]), Reason: "a conflict that was not resolved before it was committed"}
	}
	return err
}

// pair is what the documents of the PackageInstall's file and of that with the values
// are: somebody may have put both objects into one file, or others beside them.
type pair struct {
	all      []placed
	install  *placed
	values   *placed // nil: none
	overlays *placed // likewise
}

// pairOf tells the documents apart. The values Secret is one that the PackageInstall
// names, or else that of its own file.
func pairOf(found Contents) (p pair, spec carvel.PackageInstallSpec, err error) {
	for _, name := range []string{repolayout.PackageInstallFile, repolayout.ParamsFile} {
		data, there := found[name]
		if !there {
			continue
		}
		documents, err := placedIn(name, data)
		if err != nil {
			return p, spec, err
		}
		p.all = append(p.all, documents...)
	}
	if p.install = p.first(func(d placed) bool { return carvel.IsPackageInstall(d.value) }); p.install == nil {
		return p, spec, inFile(repolayout.PackageInstallFile, fmt.Errorf("no PackageInstall of %s in it", carvel.PackageInstalls.GroupVersion()))
	}
	if spec, err = carvel.PackageInstallOf(p.install.value); err != nil {
		return p, spec, fmt.Errorf("%s: line %d: %w", p.install.File, p.install.Line, err)
	}
	names := spec.ValuesSecrets()
	isNamed := func(d placed) bool { return d.Kind == "Secret" && slices.Contains(names, d.Name) }
	inParams := func(d placed) bool { return d.File == repolayout.ParamsFile }
	for _, is := range []func(placed) bool{
		func(d placed) bool { return inParams(d) && isNamed(d) },
		func(d placed) bool { return inParams(d) && d.Kind == "Secret" },
		isNamed,
	} {
		if p.values == nil {
			p.values = p.first(is)
		}
	}
	if overlays := spec.Annotations[carvel.OverlaysAnnotation]; overlays != "" {
		p.overlays = p.first(func(d placed) bool { return d.Kind == "Secret" && d.Name == overlays })
	}
	return p, spec, nil
}

func (p pair) first(is func(placed) bool) *placed {
	if i := slices.IndexFunc(p.all, is); i >= 0 {
		return &p.all[i]
	}
	return nil
}

func (p pair) isOurs(d *placed) bool { return d == p.install || d == p.values || d == p.overlays }

// Foreign are the documents in files of a package install that are not the package
// install's. Of files that cannot be read there are none.
func Foreign(found Contents) []Document {
	p, spec, err := pairOf(found)
	if err != nil {
		return nil
	}
	var foreign []Document
	for i := range p.all {
		if !p.isOurs(&p.all[i]) {
			foreign = append(foreign, p.all[i].Document)
		}
	}
	owned := map[string]func(placed) bool{
		repolayout.EncryptedParamsFile: func(d placed) bool { return slices.Contains(spec.ValuesSecrets(), d.Name) },
		repolayout.OverlaysFile:        func(d placed) bool { return d.Name == spec.Annotations[carvel.OverlaysAnnotation] },
	}
	for _, name := range []string{repolayout.EncryptedParamsFile, repolayout.OverlaysFile} {
		documents, err := placedIn(name, found[name])
		if err != nil {
			continue
		}
		ours := slices.IndexFunc(documents, func(d placed) bool { return d.Kind == "Secret" && owned[name](d) })
		for i, d := range documents {
			if ours >= 0 && i != ours { // a file with none of ours is somebody else's
				foreign = append(foreign, d.Document)
			}
		}
	}
	return foreign
}

// Importable refuses files whose objects are not what an App would deploy, or not those of
// the package: what ytt makes of a template is not known, and a name that is missing
// could not be written again.
func Importable(packageName string, found Contents) error {
	p, spec, err := pairOf(found)
	if err != nil {
		return err
	}
	for _, name := range []string{repolayout.PackageInstallFile, repolayout.ParamsFile, repolayout.OverlaysFile} {
		if line, err := ytt.Comment(found[name]); err == nil && line > 0 {
			return inFile(name, &ytt.Error{Line: line, Reason: "a comment of ytt (#@): what it makes of the file is not known. Commit what ytt makes of it"})
		}
	}
	var wrong string
	switch {
	case spec.Name == "":
		wrong = "the PackageInstall has no metadata.name"
	case spec.PackageRef.RefName != packageName:
		wrong = fmt.Sprintf("the PackageInstall is of the package %q", spec.PackageRef.RefName)
	default:
		return nil
	}
	return inFile(p.install.File, &ytt.Error{Line: p.install.Line, Reason: wrong})
}

// own are a file's documents without the foreign ones.
func own(name string, data []byte, foreign []Document) ([]any, error) {
	documents, err := placedIn(name, data)
	if err != nil {
		return nil, err
	}
	var values []any
	for _, d := range documents {
		if !slices.Contains(foreign, d.Document) {
			values = append(values, d.value)
		}
	}
	return values, nil
}

// Clash is a document, in a file that is none of a package install's, of an object that
// the package install is to make: of the package, or of the kind and name of one of
// these.
func Clash(file string, data []byte, packageName string, makes []Document) (Document, bool) {
	documents, err := placedIn(file, data)
	if err != nil {
		return Document{}, false // an App would not read it either
	}
	for _, d := range documents {
		isMade := slices.ContainsFunc(makes, func(m Document) bool { return m.Kind == d.Kind && m.Name == d.Name })
		spec, err := carvel.PackageInstallOf(d.value)
		if isMade || carvel.IsPackageInstall(d.value) && err == nil && spec.PackageRef.RefName == packageName {
			return d.Document, true
		}
	}
	return Document{}, false
}
