package delivery

import (
	"sync"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// orphans are the files that deletes of this run have left as they are. If a resource is
// replaced, they are in the place of the new one, which may overwrite what the plan saw of
// them, also what others had changed: a plan of an update would have shown it as drift.
type orphans struct {
	mu    sync.Mutex
	known map[repolayout.Install]func(name string, blob installfiles.Blob) bool
}

func (o *orphans) leave(at repolayout.Install, known func(name string, blob installfiles.Blob) bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.known == nil {
		o.known = map[repolayout.Install]func(string, installfiles.Blob) bool{}
	}
	o.known[at] = known
}

// is reports whether a file was left with this blob.
func (o *orphans) is(at repolayout.Install, name string, blob installfiles.Blob) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	known, left := o.known[at]
	return left && known(name, blob)
}

// of are those of the files that were left so, but for the one with the mark.
func (o *orphans) of(at repolayout.Install, found installfiles.Contents) installfiles.Blobs {
	left := installfiles.Blobs{}
	for name, blob := range found.Blobs() {
		if name != repolayout.MarkFile && o.is(at, name, blob) {
			left[name] = blob
		}
	}
	return left
}

// Orphan leaves the files of a package install where they are, and what they deploy with
// them. Nothing is asked and nothing is written. seen tells which files the plan saw: a
// create in the same place that follows in this run goes on with these.
func (is *Installs) Orphan(at repolayout.Install, seen func(name string, blob installfiles.Blob) bool) {
	is.orphans.leave(at, seen)
}
