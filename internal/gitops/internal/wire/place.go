package wire

import "github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"

// Place is where the branch stands on the server.
type Place struct {
	// Tip is the commit that changes build upon. NoCommit: the repository is empty.
	Tip odb.Hash
	// Ref is the commit that the branch is at; zero: the branch is not there, and a push creates it. It is Tip but where changes are to
	// build upon another commit: a merge that is made here, or the tip of the base.
	Ref odb.Hash
	// Base is the commit that the branch Server.Base is at; zero: there is no such.
	Base odb.Hash
}

// Unborn: the branch is not there, and a push of its first commit creates it.
func (p Place) Unborn() bool { return p.Ref.IsZero() }
