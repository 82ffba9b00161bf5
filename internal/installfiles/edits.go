package installfiles

import (
	"maps"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// Before are the files that a commit may take the place of.
type Before struct {
	Blobs Blobs
	// Says reports whether the file of this name says in another form what one with this
	// blob, or with what stands for it in Files.Says, says. It may be nil.
	Says func(name string, blob Blob) bool
}

// Edit writes or deletes a file.
type Edit struct {
	Name   string
	Data   []byte
	Delete bool
	// If is what must be there before; zero: nothing.
	If Blob
}

// Edits put files, as Files.Write gives them, in the place of those before, and delete
// those that are no more. What may be somebody else's is left.
func (f Files) Edits(written Contents, before Before) []Edit {
	var edits []Edit
	for _, name := range AllNames {
		data, exists := written[name]
		inTheWay := before.Blobs == nil && isOver(name, f.says)
		if !exists && !mayOwn(name, before.Blobs) && !inTheWay {
			continue
		}
		edits = append(edits, Edit{Name: name, Data: data, Delete: !exists, If: before.Blobs[name]})
	}
	return edits
}

// Removal are the edits that delete the files before, of those that are there now.
func Removal(before Blobs, now Contents) []Edit {
	var edits []Edit
	for _, name := range AllNames {
		data, exists := now[name]
		if !exists || !mayOwn(name, before) {
			continue // a file that is gone already needs no edit
		}
		blob := before[name]
		if name == repolayout.MarkFile {
			blob = BlobOf(data) // which is ours
		}
		edits = append(edits, Edit{Name: name, Delete: true, If: blob})
	}
	return edits
}

// InTheWay are the files that a package install with these files would overwrite or
// delete.
func InTheWay(found Contents, wanted Blobs) Contents {
	out := maps.Clone(found)
	maps.DeleteFunc(out, func(name string, _ []byte) bool {
		return name == repolayout.MarkFile || !mayOwn(name, wanted) && !isOver(name, wanted)
	})
	return out
}

// mayOwn reports whether a file of this name belongs to a package install with
// these files whoever made it. Overlays and an encrypted file beside a package
// install that has none may be somebody else's.
func mayOwn(name string, files Blobs) bool {
	_, has := files[name]
	return has || name != repolayout.OverlaysFile && name != repolayout.EncryptedParamsFile
}

// isOver reports whether a file of this name would take the place of one of these:
// SOPS writes what it decrypts over params.yaml.
func isOver(name string, files Blobs) bool {
	_, inClear := files[repolayout.ParamsFile]
	return inClear && name == repolayout.EncryptedParamsFile
}
