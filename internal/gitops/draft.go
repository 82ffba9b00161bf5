package gitops

import (
	"bytes"
	"slices"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/wire"
)

// draft is the commit that would put a batch of changes on top of a tip.
type draft struct {
	wire.Place
	id      Hash // zero: the branch already has it all
	objects []odb.Packed
	served  Hash  // the commit of the server that has what the tip has, or is merged into it
	barred  error // why the branch takes nothing; nil: it does

	changed  []*writeCall // whose edits changed something
	same     []*writeCall // whose edits the branch already had
	rejected map[*writeCall]error
}

// newDraft applies the calls one after the other, each entirely or not at all, and checks each against what those before it left.
// The trees on the way to every edit are in the store. upon is how the tip has come about, for a branch with a base.
func newDraft(t *target, s *odb.Store, at wire.Place, upon *proposal, calls []*writeCall) (*draft, error) {
	id, err := s.Root(at.Tip)
	if err != nil {
		return nil, err
	}
	root, err := odb.Load(s, id)
	if err != nil {
		return nil, err
	}
	d := &draft{Place: at, served: reported(at.Tip), rejected: map[*writeCall]error{}}
	if upon != nil {
		d.barred = upon.barred
	}
	local := upon.local(at.Tip)
	if local {
		d.served = at.Ref
	}
	catchUp := false
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
			catchUp = catchUp || call.change.CatchUp
			continue
		}
		d.changed = append(d.changed, call)
		for i, blob := range changes {
			if err := root.Set(s, call.paths[i], blob); err != nil {
				return nil, err
			}
			files[call.change.Edits[i].Path] = blob
			if !blob.IsZero() {
				blobs[blob] = call.change.Edits[i].Data
			}
		}
	}
	tree := root.Write(s, func(o odb.Packed) { d.objects = append(d.objects, o) })
	if tree.IsZero() {
		tree = odb.EmptyTree
		d.objects = append(d.objects, odb.Packed{Object: odb.Object{Kind: plumbing.TreeObject, Data: nil}, ID: odb.EmptyTree})
	}
	if tree == id {
		d.same, d.changed, d.objects = append(d.same, d.changed...), nil, nil
		if local && catchUp {
			d.id, d.objects = at.Tip, upon.merge
		}
		return d, nil
	}
	d.addBlobs(files, blobs)
	if err := d.seal(t, tree); err != nil {
		return nil, err
	}
	if local {
		d.objects = slices.Concat(upon.merge, d.objects)
	}
	return d, nil
}

// plan checks a call against the directory as it stands and returns the blob for every edit that changes something, by index.
func (c *writeCall) plan(s *odb.Store, root *odb.Directory) (map[int]Hash, error) {
	changes := map[int]Hash{}
	for i, edit := range c.change.Edits {
		have, err := root.File(s, edit.Path, c.paths[i])
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
		d.objects = append(d.objects, odb.Packed{Object: odb.Object{Kind: plumbing.BlobObject, Data: bytes.Clone(data)}, ID: id})
	}
}

// seal makes the commit.
func (d *draft) seal(t *target, tree Hash) error {
	summaries := make([]string, 0, len(d.changed))
	for _, call := range d.changed {
		summaries = append(summaries, summary(call.change))
	}
	var parents []Hash
	if d.Tip != odb.NoCommit {
		parents = []Hash{d.Tip}
	}
	commit, err := t.commit(tree, parents, t.message(summaries), time.Now())
	d.id = commit.Hash()
	d.objects = append(d.objects, odb.Packed{Object: commit, ID: d.id})
	return err
}

// reported is a commit as callers and the server know it: the zero Hash if there is none.
func reported(commit Hash) Hash {
	if commit == odb.NoCommit {
		return Hash{}
	}
	return commit
}
