package gitops

import (
	"bytes"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// draft is the commit that would put a batch of changes on top of a tip.
type draft struct {
	place
	id      Hash // zero: the branch already has it all
	objects []packed

	changed  []*writeCall // whose edits changed something
	same     []*writeCall // whose edits the branch already had
	rejected map[*writeCall]error
}

// newDraft applies the calls one after the other, each entirely or not at all, and checks each against what those before it left.
// The trees on the way to every edit are in the store.
func newDraft(t *target, s *store, at place, calls []*writeCall) (*draft, error) {
	id, err := s.root(at.tip)
	if err != nil {
		return nil, err
	}
	root, err := load(s, id)
	if err != nil {
		return nil, err
	}
	d := &draft{place: at, rejected: map[*writeCall]error{}}
	blobs := map[Hash][]byte{}
	files := map[string]Hash{}
	for _, call := range calls {
		changes, err := call.plan(s, root)
		switch {
		case err != nil:
			d.rejected[call] = err
			continue
		case len(changes) == 0:
			d.same = append(d.same, call)
			continue
		}
		d.changed = append(d.changed, call)
		for i, blob := range changes {
			if err := root.set(s, call.paths[i], blob); err != nil {
				return nil, err
			}
			files[call.change.Edits[i].Path] = blob
			if !blob.IsZero() {
				blobs[blob] = call.change.Edits[i].Data
			}
		}
	}
	tree := root.write(s, func(o packed) { d.objects = append(d.objects, o) })
	if tree.IsZero() {
		tree = emptyTree
		d.objects = append(d.objects, packed{object: object{plumbing.TreeObject, nil}, id: emptyTree})
	}
	if tree == id {
		d.same, d.changed, d.objects = append(d.same, d.changed...), nil, nil
		return d, nil
	}
	d.addBlobs(files, blobs)
	return d, d.seal(t, tree)
}

// plan checks a call against the directory as it stands and returns the blob for every edit that changes something, by index.
func (c *writeCall) plan(s *store, root *node) (map[int]Hash, error) {
	changes := map[int]Hash{}
	for i, edit := range c.change.Edits {
		have, err := root.file(s, edit.Path, c.paths[i])
		if err != nil {
			return nil, err
		}
		if edit.IfBlob != nil && *edit.IfBlob != have {
			return nil, &PreconditionError{Path: edit.Path, Want: *edit.IfBlob, Have: have}
		}
		var blob Hash
		if !edit.Delete {
			blob = BlobHash(edit.Data)
		}
		if blob != have {
			changes[i] = blob
		}
	}
	return changes, nil
}

// addBlobs takes each blob that a file has in the end, once.
func (d *draft) addBlobs(files map[string]Hash, blobs map[Hash][]byte) {
	for _, id := range files {
		data, isNew := blobs[id]
		if !isNew {
			continue
		}
		delete(blobs, id)
		// The caller may use its slice again once Apply has returned; the store keeps this one.
		d.objects = append(d.objects, packed{object: object{plumbing.BlobObject, bytes.Clone(data)}, id: id})
	}
}

// seal makes the commit.
func (d *draft) seal(t *target, tree Hash) error {
	summaries := make([]string, 0, len(d.changed))
	for _, call := range d.changed {
		summaries = append(summaries, summary(call.change))
	}
	commit, err := t.commit(tree, reported(d.tip), t.message(summaries), time.Now())
	d.id = commit.hash()
	d.objects = append(d.objects, packed{object: commit, id: d.id})
	return err
}
