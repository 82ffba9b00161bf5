package carvel

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/giturl"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/version"
)

// LocalRef names an object in the App's namespace.
type LocalRef struct {
	Name string `json:"name"`
}

// Fetch is one source; exactly one field beside Path is set.
type Fetch struct {
	// Path is the directory that the source is placed in; its number in the
	// list if it is empty.
	Path         string             `json:"path,omitempty"`
	Git          *GitFetch          `json:"git,omitempty"`
	Inline       *Inline            `json:"inline,omitempty"`
	Image        *ImageFetch        `json:"image,omitempty"`
	ImgpkgBundle *ImgpkgBundleFetch `json:"imgpkgBundle,omitempty"`
	HTTP         *HTTPFetch         `json:"http,omitempty"`
	HelmChart    *HelmChartFetch    `json:"helmChart,omitempty"`
}

// GitFetch is a directory of a Git repository at a ref, or at the highest tag
// that RefSelection takes.
type GitFetch struct {
	URL                string        `json:"url,omitempty"`
	Ref                string        `json:"ref,omitempty"`
	RefSelection       *TagSelection `json:"refSelection,omitempty"`
	SubPath            string        `json:"subPath,omitempty"`
	SecretRef          *LocalRef     `json:"secretRef,omitempty"`
	LFSSkipSmudge      bool          `json:"lfsSkipSmudge,omitempty"`
	ForceHTTPBasicAuth bool          `json:"forceHTTPBasicAuth,omitempty"`
	Depth              *int64        `json:"depth,omitempty"` // 0: all commits
}

// TagSelection picks the highest tag that is a version and is accepted.
type TagSelection struct {
	Semver *SemverSelection `json:"semver,omitempty"`
}

// SemverSelection says which versions are accepted.
type SemverSelection struct {
	Constraints string               `json:"constraints,omitempty"`
	Prereleases *version.Prereleases `json:"prereleases,omitempty"`
}

// Inline holds files in the App itself, or in objects beside it.
type Inline struct {
	Paths     map[string]string `json:"paths,omitempty"`
	PathsFrom []PathsFrom       `json:"pathsFrom,omitempty"`
}

// PathsFrom makes a file of every key of an object; exactly one field is set.
type PathsFrom struct {
	SecretRef    *DirectoryRef `json:"secretRef,omitempty"`
	ConfigMapRef *DirectoryRef `json:"configMapRef,omitempty"`
}

// DirectoryRef names an object and the directory for its files.
type DirectoryRef struct {
	Name          string `json:"name"`
	DirectoryPath string `json:"directoryPath,omitempty"`
}

// ImageFetch is the content of an OCI image.
type ImageFetch struct {
	URL          string        `json:"url"`
	TagSelection *TagSelection `json:"tagSelection,omitempty"`
	SecretRef    *LocalRef     `json:"secretRef,omitempty"`
	SubPath      string        `json:"subPath,omitempty"`
}

// ImgpkgBundleFetch is an imgpkg bundle.
type ImgpkgBundleFetch struct {
	Image        string        `json:"image"`
	TagSelection *TagSelection `json:"tagSelection,omitempty"`
	SecretRef    *LocalRef     `json:"secretRef,omitempty"`
}

// HTTPFetch is a file or an archive.
type HTTPFetch struct {
	URL       string    `json:"url"`
	SHA256    string    `json:"sha256,omitempty"`
	SecretRef *LocalRef `json:"secretRef,omitempty"`
	SubPath   string    `json:"subPath,omitempty"`
}

// HelmChartFetch is a chart of a Helm repository.
type HelmChartFetch struct {
	Name       string          `json:"name,omitempty"`
	Version    string          `json:"version,omitempty"`
	Repository *HelmRepository `json:"repository,omitempty"`
}

// HelmRepository is where a chart is; an oci:// URL is a registry.
type HelmRepository struct {
	URL       string    `json:"url"`
	SecretRef *LocalRef `json:"secretRef,omitempty"`
}

// ValidateGitRef checks a ref that an App fetches.
func ValidateGitRef(ref string) error {
	switch {
	case ref == "":
		return fmt.Errorf("the ref is empty: write origin/main for a branch, or the name of a tag")
	case ref == "HEAD", strings.HasPrefix(ref, "refs/"):
		return fmt.Errorf("the controller cannot fetch %q: write origin/main for a branch, or the name of a tag", ref)
	case strings.HasPrefix(ref, "-"), strings.ContainsAny(ref, " \t\n~^:?*[\\"):
		return fmt.Errorf("%q is not a branch, a tag or a commit", ref)
	}
	return nil
}

// ValidateSubPath checks a directory of a repository.
func ValidateSubPath(subPath string) error {
	if slices.Contains(strings.Split(subPath, "/"), "..") {
		return fmt.Errorf("%q leaves the repository", subPath)
	}
	return nil
}

// CleanSubPath is a directory as the controller understands it: a, a/, /a and
// ./a are the same, and the root is empty.
func CleanSubPath(subPath string) string {
	return strings.TrimPrefix(path.Clean("/"+subPath), "/")
}

// ValidateFilePath checks the path of a file or directory that the controller
// writes.
func ValidateFilePath(p string) error {
	switch {
	case p == "" || p == ".":
		return fmt.Errorf("the path is empty")
	case path.IsAbs(p):
		return fmt.Errorf("%q is not relative", p)
	case slices.Contains(strings.Split(p, "/"), ".."):
		return fmt.Errorf("%q leaves the directory", p)
	}
	return nil
}

// ValidateSourceURL checks the URL of a Git repository, a file or a chart: the
// App is no place for a password or a token, which everybody reads who may read
// Apps.
func ValidateSourceURL(url string) error {
	switch {
	case url == "":
		return errors.New("the URL is empty")
	case giturl.Public(url) != url:
		return errors.New("the URL holds user information, which may be a token and which everybody reads who may read Apps; " +
			"remove what is before the @, and use secret_ref")
	}
	return nil
}

// ValidateGitURL checks the URL of a Git repository, which the controller hands to git.
func ValidateGitURL(url string) error {
	if err := ValidateSourceURL(url); err != nil {
		return err
	}
	if _, err := giturl.Parse(url); err != nil {
		return fmt.Errorf("the URL %w", err)
	}
	return nil
}

// ValidateSHA256 checks a checksum.
func ValidateSHA256(sum string) error {
	if len(sum) != 64 || strings.Trim(sum, "0123456789abcdef") != "" {
		return fmt.Errorf("%q does not consist of 64 hexadecimal digits in lower case", sum)
	}
	return nil
}

// HasTag reports whether an image's reference names a tag or a digest.
func HasTag(image string) bool {
	last := image[strings.LastIndex(image, "/")+1:]
	return strings.ContainsAny(last, ":@")
}
