package wire

import (
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"
)

// Limits on the answers of a server, each above what a real one needs.
const (
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

	// maxPushBytes of the answer to a push, hook output included, of which MaxTextBytes are kept.
	maxPushBytes = 256 << 20
	// maxReportBytes of it that are not hook output: the report on one branch is two lines.
	maxReportBytes = 1 << 20
	// maxErrorBytes of the body of an HTTP error, and maxHeaderBytes of the head of any answer.
	maxErrorBytes  = 16 << 10
	maxHeaderBytes = 256 << 10
	// MaxTextBytes of what a server says in an error.
	MaxTextBytes = 16 << 10
	// MaxLineBytes of what it says if one line is enough.
	MaxLineBytes = 300
)

// Bounds on how long a server is tried.
const (
	// MaxBriefly is for failures that are most often lasting, and may be a restart: a refused connection.
	MaxBriefly = 10 * time.Second
	// maxDrain is for the end of an answer that has told all, so that the connection can be used again.
	maxDrain = time.Second
)

// checkServer is the advice on an answer that no repository explains.
const checkServer = "No GitOps repository needs that; check that git.url is the repository and that nothing on the way changes its answers."

// Bounds of answers, and of a fetch that asks for less than it might be given.
var (
	advertBound   = odb.Bound{What: "the server's list of references", Most: maxAdvertBytes, Advice: "Delete branches, tags and pull requests that nobody needs, or move the files into a repository of their own."}
	preambleBound = odb.Bound{What: "what the server sends ahead of a pack", Most: maxPreambleBytes, Advice: checkServer}
	fetchBound    = odb.Bound{What: "the pack that the server sends", Most: maxFetchBytes, Advice: odb.SmallerRepository}
	NewsBound     = odb.Bound{What: "the pack of what others have pushed", Most: maxNewsBytes, Advice: odb.SmallerRepository}
	HistoryBound  = odb.Bound{What: "the pack of the branch's last commits", Most: maxHistoryBytes, Advice: odb.SmallerRepository}
	pushBound     = odb.Bound{What: "the server's answer to a push", Most: maxPushBytes, Advice: "Have the repository's hooks say less."}
	reportBound   = odb.Bound{What: "the server's report on a push", Most: maxReportBytes, Advice: checkServer}
)
