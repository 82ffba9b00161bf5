package health

import (
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// Source is a file or a directory of the provider's branch that an App selects. Trees are
// ids of what it holds.
type Source struct {
	Directory string
	Commit    string // that was fetched, "" before the first fetch
	Tree      string // at that commit, "" if the server does not give it
	Tip       string // the branch's commit
	TipTree   string
}

// ObservedInstall is a PackageInstall that is to be on the run cluster.
type ObservedInstall struct {
	Namespace, Name string
	Status          *carvel.InstallStatus // nil: it is not there
	App             *carvel.InstallApp    // nil: it is not there
	// Wanted are the annotations of the branch that the controller acts upon; nil
	// if they are not known.
	Wanted map[string]string
	// Values are the names of the Secrets that its spec names.
	Values []string
	// Reads are all Secrets that its App reads.
	Reads []ObservedSecret
	// Quiet is how long none of these Secrets and not its App has changed.
	Quiet time.Duration
}

// ObservedSecret is a Secret on the run cluster that an App reads.
type ObservedSecret struct {
	Name    string
	Missing bool
	Differs bool      // it does not hold what the branch does
	Written time.Time // when it was last written, to the second, by the API server's clock
	New     bool      // it has not been written since it was created
	// Earlier is when it was last written before it had its present content, the zero
	// time if that was not seen.
	Earlier time.Time
	// Content tells one content from another, and Revision orders its changes among
	// those of other objects of the cluster; 0 if it does not.
	Content  string
	Revision uint64
}
