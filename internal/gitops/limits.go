package gitops

import (
	"fmt"
	"time"
)

// Limits on what a server and a repository may cost. Each is above what a real repository needs, and all that hold at the same time add
// up to 350 MB: the store, the kept part of a pack, the objects that are read from it, its index, and the buffers.
const (
	// maxFileBytes: a Package that Kubernetes takes has under 1.5 MB, and so has a Secret or a PackageInstall.
	maxFileBytes = 4 << 20
	// maxTreeBytes of a tree, a commit or a tag: 200,000 names in one directory.
	maxTreeBytes = 8 << 20

	// maxDepth of directories in directories. Paths of Terraform's and Kubernetes' own have under ten.
	maxDepth = 64

	// maxAdvertBytes of the list of references: some 400,000 branches, tags and pull requests. Version 0 of the protocol lists all.
	maxAdvertBytes = 32 << 20
	// maxPreambleBytes of what comes before a pack, the shallow and ACK lines: one for each commit at the edge of a history.
	maxPreambleBytes = 4 << 20
	// maxFetchBytes of an answer. A server without filters sends the files of the whole snapshot: 126 MB for 200,000 of them.
	maxFetchBytes = 512 << 20
	// maxNewsBytes of what others have pushed: beyond it, fetching the new tip alone is cheaper.
	maxNewsBytes = 1 << 20
	// maxHistoryBytes of one answer in a search for the last change.
	maxHistoryBytes = 8 << 20

	// maxPackObjects: a snapshot of 200,000 files in as many directories has 400,000.
	maxPackObjects = 500_000
	// maxSpoolBytes of a pack that are kept, as they were sent, until its deltas are resolved: files up to maxFileBytes, and deltas.
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

	// maxPushBytes of the answer to a push, hook output included, of which maxTextBytes are kept.
	maxPushBytes = 256 << 20
	// maxReportBytes of it that are not hook output: the report on one branch is two lines.
	maxReportBytes = 1 << 20
	// maxErrorBytes of the body of an HTTP error, and maxHeaderBytes of the head of any answer.
	maxErrorBytes  = 16 << 10
	maxHeaderBytes = 256 << 10
	// maxTextBytes of what a server says in an error.
	maxTextBytes = 16 << 10
	// maxLineBytes of what it says where one line is enough.
	maxLineBytes = 300
)

// Bounds on how long a server is tried.
const (
	// maxBriefly is for failures that are most often lasting, and may be a restart: a refused connection.
	maxBriefly = 10 * time.Second
	// maxDrain is for the end of an answer that has told all, so that the connection can be used again.
	maxDrain = time.Second
)

// LimitError: the server or the repository wants more than this client takes. Trying again gives the same.
type LimitError struct {
	// What is over the limit, for example "the list of references".
	What string
	// Most is the limit with its unit.
	Most string
	// Path of the file or the directory, where it is about one.
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

// Advice on limits.
const (
	smallerRepository = "Keep what is large out of the GitOps repository, or use a Git server that knows partial clones (uploadpack.allowFilter)."
	checkServer       = "No GitOps repository needs that; check that git.url is the repository and that nothing on the way changes its answers."
)

func megabytes(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%d MB", n>>20)
	case n >= 1<<10:
		return fmt.Sprintf("%d KB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}

// bound is a number of bytes that an answer may have from some point on.
type bound struct {
	what   string
	most   int64
	advice string
}

func (b bound) exceeded() *LimitError {
	return &LimitError{What: b.what, Most: megabytes(b.most), Advice: b.advice}
}

var (
	advertBound   = bound{"the server's list of references", maxAdvertBytes, "Delete branches, tags and pull requests that nobody needs, or move the files into a repository of their own."}
	preambleBound = bound{"what the server sends ahead of a pack", maxPreambleBytes, checkServer}
	fetchBound    = bound{"the pack that the server sends", maxFetchBytes, smallerRepository}
	newsBound     = bound{"the pack of what others have pushed", maxNewsBytes, smallerRepository}
	historyBound  = bound{"the pack of the branch's last commits", maxHistoryBytes, smallerRepository}
	pushBound     = bound{"the server's answer to a push", maxPushBytes, "Have the repository's hooks say less."}
	reportBound   = bound{"the server's report on a push", maxReportBytes, checkServer}

	treeBound     = bound{"a directory or a commit", maxTreeBytes, "Spread the files over directories."}
	spoolBound    = bound{"the files of the snapshot, as the server sends them,", maxSpoolBytes, smallerRepository}
	keptBound     = bound{"what was asked of the server at once", maxKeptBytes, smallerRepository}
	inflatedBound = bound{"the content of the server's pack", maxInflatedBytes, smallerRepository}
	heldBound     = bound{"the chain of differences in the server's pack", maxHeldBytes, "Have the server repack the repository (git repack -adf)."}
	storeBound    = bound{"what is read of the branch at once", maxStoreBytes, smallerRepository}
	fileBound     = bound{"the file", maxFileBytes, "Remove it from the branch, or make it smaller: Kubernetes takes no object of that size."}
)

func tooManyObjects() *LimitError {
	return &LimitError{What: "the number of objects in the server's pack", Most: fmt.Sprint(maxPackObjects), Advice: smallerRepository}
}

// fileTooLarge is about a file at a path, which may be empty where it is not known.
func fileTooLarge(path string) *LimitError {
	e := fileBound.exceeded()
	e.Path = path
	return e
}
