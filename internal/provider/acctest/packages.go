package acctest

import "fmt"

// Versions are two versions of a test's package.
const (
	FirstVersion  = "1.0.0"
	SecondVersion = "1.1.0"
)

// PackageFile is a Package whose content is one ConfigMap in plain YAML, named
// as the package's first label, that holds the package's version.
func (e *Env) PackageFile(version string) string { return e.PackageFileWithSchema(version, "{}") }

// PackageFileWithSchema is a PackageFile whose values schema has the given
// properties, in JSON. Its template takes any values.
func (e *Env) PackageFileWithSchema(version, properties string) string {
	schema := ""
	if properties != "{}" {
		schema = fmt.Sprintf("  valuesSchema:\n    openAPIv3: {type: object, additionalProperties: false, properties: %s}\n", properties)
	}
	return fmt.Sprintf(`apiVersion: data.packaging.carvel.dev/v1alpha1
kind: Package
metadata:
  name: %[1]s.%[2]s
spec:
  refName: %[1]s
  version: %[2]s
  template:
    spec:
      fetch:
      - inline:
          paths:
            config.yaml: |
              apiVersion: v1
              kind: ConfigMap
              metadata:
                name: %[3]s
              data:
                version: %[2]s
      template:
      - ytt: {}
      deploy:
      - kapp: {}
%[4]s`, e.Package(), version, e.Name, schema)
}

// PackagePath is where a version of the test's package is in the repository.
func (e *Env) PackagePath(version string) string {
	return e.Package() + "/packages/" + version + ".yaml"
}

// CommitPackages writes two versions of the test's package, as a supply chain
// would, and removes the package's directory at the end.
func (e *Env) CommitPackages(r *Repository) {
	e.T.Helper()
	r.Write("Add package "+e.Package(), map[string]string{
		e.PackagePath(FirstVersion):  e.PackageFile(FirstVersion),
		e.PackagePath(SecondVersion): e.PackageFile(SecondVersion),
	})
	e.RemoveDirectory(r, e.Package())
}

// RemoveDirectory removes what a test has left in the repository, at its end.
func (e *Env) RemoveDirectory(r *Repository, dir string) {
	e.T.Cleanup(func() {
		r.Pull()
		files := map[string]string{}
		for _, path := range r.List(dir) {
			files[path] = ""
		}
		r.Write("Remove "+dir, files)
	})
}

// List are the paths of the files below a directory at the tip.
func (r *Repository) List(dir string) []string {
	r.env.T.Helper()
	r.Pull()
	return lines(r.git("ls-files", dir))
}
