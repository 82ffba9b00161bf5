package wire

import "github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"

// Place is where the branch stands on the server.
type Place struct {
	// tip is the commit that changes build upon. NoCommit: the repository is empty.
	Tip odb.Hash
	// unborn: the branch is not there, and a push of its first commit creates it.
	Unborn bool
}

// Old is the value that the branch must have for a push upon this place.
func (p Place) Old() odb.Hash {
	if p.Unborn {
		return odb.Hash{}
	}
	return p.Tip
}
