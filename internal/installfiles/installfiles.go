// Package installfiles is a package install as files: what is committed for one package
// on one run cluster, PACKAGE/RUN-CLUSTER/{packageinstall,params,overlays}.yaml, and
// what is known of such files.
//
// A Spec is rendered to Files, the same bytes each time, and parsed back from whatever
// somebody has written. Files say what they mean apart from their bytes: another form of
// the same is left as it is, and an encrypted file, which has other bytes each time, is
// written again only when it says something else. Of files that hold secrets only what
// may be seen is shown.
//
// Seen is what a plan saw, small enough for a state and without anything in it that
// helps to guess a secret. From it, from what is wanted and from what is there now come
// the Edits, each with what it must meet: nothing is overwritten that the plan did not
// see. A Mark in a file of its own says whose the others are.
//
// It knows no Git, no cluster and no Terraform.
package installfiles

import (
	"maps"
	"slices"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/sops"
)

// Spec is a package install: its PackageInstall, and what lies beside it.
type Spec struct {
	// Install is the PackageInstall without what the files beside it add: its Values are
	// Secrets that are made elsewhere.
	Install carvel.PackageInstallSpec

	Values             map[string]any // nil: no values Secret
	ValuesSecretName   string
	HashValuesName     bool   // a hash of the values follows ValuesSecretName
	WriteOnlyValues    bool   // values are in it that only a configuration holds
	HiddenValuesSecret string // name of a values Secret whose content cannot be read; excludes Values
	// Recipients of age that the values are encrypted for in the repository; none: they
	// are in clear text.
	Recipients []string

	Overlays map[string]string // ytt overlays, file name to text; empty: no overlays Secret
}

// Contents are the bytes of a package install's files, by the file's name. What has no
// entry is not there.
type Contents map[string][]byte

// Blobs of the contents.
func (c Contents) Blobs() Blobs {
	blobs := make(Blobs, len(c))
	for name, data := range c {
		blobs[name] = BlobOf(data)
	}
	return blobs
}

// Names are the files that a package install may consist of.
var Names = []string{repolayout.PackageInstallFile, repolayout.ParamsFile, repolayout.EncryptedParamsFile, repolayout.OverlaysFile}

// AllNames are Names and the file with the mark.
var AllNames = append([]string{repolayout.MarkFile}, Names...)

// Files are what a Spec becomes, one that is to be encrypted still in clear text.
type Files struct {
	contents   Contents
	kept       Contents // as they are in the repository
	says       Blobs
	makes      []Document
	recipients []string
}

// Makes are the objects in the files.
func (f Files) Makes() []Document { return slices.Clone(f.makes) }

// Says stands for what the files say: the blob that each of them has in the form that
// Render gives it, and for an encrypted one, another digest of what is in it and for
// whom.
func (f Files) Says() Blobs { return maps.Clone(f.says) }

// Are reports whether files that are there are all wanted as they are.
func (f Files) Are(there Contents) bool {
	for name, blob := range there.Blobs() {
		if f.says[name] != blob {
			return false
		}
	}
	return true
}

// Keep is Files with some of them as they are in the repository, if they say the same
// in another form.
func (f Files) Keep(kept Contents) Files {
	f.contents, f.kept = maps.Clone(f.contents), kept
	maps.Copy(f.contents, kept)
	return f
}

// Shown are the files as a plan may show them, by name, every value in a Secret masked.
func (f Files) Shown() map[string]string { return f.contents.Shown() }

// Write are the bytes of the files as they go into the repository, with a mark. What is
// to be encrypted is encrypted at a time of now.
func (f Files) Write(mark carvel.Mark, now time.Time) (Contents, error) {
	written := maps.Clone(f.contents)
	const name = repolayout.EncryptedParamsFile
	plain, exists := f.contents[name]
	if _, kept := f.kept[name]; exists && !kept {
		encrypted, err := sops.Encrypt(plain, f.recipients, now)
		if err != nil {
			return nil, inFile(name, err)
		}
		written[name] = encrypted
	}
	text, err := markOf(written, mark).render()
	if err != nil {
		return nil, err
	}
	written[repolayout.MarkFile] = text
	return written, nil
}
