package odb

import "fmt"

// Limits on what a server and a repository may cost. Each is above what a real repository needs, and all that hold at the same time add
// up to 350 MB: the store, the kept part of a pack, the objects that are read from it, its index, and the buffers.
const (
	// MaxFileBytes: a Package that Kubernetes takes has under 1.5 MB, and so has a Secret or a PackageInstall.
	MaxFileBytes = 4 << 20
	// MaxTreeBytes of a tree, a commit or a tag: 200,000 names in one directory.
	MaxTreeBytes = 8 << 20

	// MaxPackObjects: a snapshot of 200,000 files in as many directories has 400,000.
	MaxPackObjects = 500_000
	// maxSpoolBytes of a pack that are kept, as they were sent, until its deltas are resolved: files up to MaxFileBytes, and deltas.
	maxSpoolBytes = 128 << 20
	// maxKeptBytes of the trees, the commits and the wanted files of a pack. The trees of 200,000 files have 10 MB.
	maxKeptBytes = 64 << 20
	// maxInflatedBytes of all objects and results of deltas together: the time that a pack may take.
	maxInflatedBytes = 1 << 30
	// maxHeldBytes of the bases that wait for the rest of their deltas.
	maxHeldBytes = 64 << 20

	// maxStoreBytes of objects while reads are answered. Between reads the store has at most storeIdleBytes.
	maxStoreBytes  = storeIdleBytes + maxKeptBytes
	storeIdleBytes = 96 << 20
	// storeSoftLimit: beyond it, what the tip does not reach is dropped, and no files are taken along that nobody has asked for.
	storeSoftLimit = 64 << 20
	// objectOverhead is what an object takes besides its content.
	objectOverhead = 128
	// maxDecodedBytes of the trees that are kept in decoded form, which takes five times as much.
	maxDecodedBytes = 8 << 20
)

// LimitError: the server or the repository wants more than this client takes. Trying again gives the same.
type LimitError struct {
	// What is over the limit, for example "the list of references".
	What string
	// Most is the limit with its unit.
	Most string
	// Path of the file or the directory, if it is about one.
	Path string
	// Advice is what to do, in a sentence.
	Advice string
}

func (e *LimitError) Error() string {
	text := fmt.Sprintf("%s is over the limit of %s", e.What, e.Most)
	if e.Path != "" {
		text = fmt.Sprintf("%s: %s", e.Path, text)
	}
	if e.Advice != "" {
		text += ". " + e.Advice
	}
	return text
}

// SmallerRepository is the advice on what a repository of text files does not have.
const SmallerRepository = "Keep what is large out of the GitOps repository, or use a Git server that knows partial clones (uploadpack.allowFilter)."

func megabytes(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%d MB", n>>20)
	case n >= 1<<10:
		return fmt.Sprintf("%d KB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}

// Bound is a number of bytes that an answer may have from some point on.
type Bound struct {
	What   string // is bounded
	Most   int64
	Advice string // in a sentence
}

// Exceeded is the error of an answer that is longer.
func (b Bound) Exceeded() *LimitError {
	return &LimitError{What: b.What, Most: megabytes(b.Most), Advice: b.Advice}
}

var (
	treeBound     = Bound{"a directory or a commit", MaxTreeBytes, "Spread the files over directories."}
	spoolBound    = Bound{"the files of the snapshot, as the server sends them,", maxSpoolBytes, SmallerRepository}
	keptBound     = Bound{"what was asked of the server at once", maxKeptBytes, SmallerRepository}
	inflatedBound = Bound{"the content of the server's pack", maxInflatedBytes, SmallerRepository}
	heldBound     = Bound{"the chain of differences in the server's pack", maxHeldBytes, "Have the server repack the repository (git repack -adf)."}
	storeBound    = Bound{"what is read of the branch at once", maxStoreBytes, SmallerRepository}
	fileBound     = Bound{"the file", MaxFileBytes, "Remove it from the branch, or make it smaller: Kubernetes takes no object of that size."}
)

func tooManyObjects() *LimitError {
	return &LimitError{What: "the number of objects in the server's pack", Most: fmt.Sprint(MaxPackObjects), Advice: SmallerRepository}
}

// FileTooLarge is about a file at a path, which may be empty if it is not known.
func FileTooLarge(path string) *LimitError {
	e := fileBound.Exceeded()
	e.Path = path
	return e
}
