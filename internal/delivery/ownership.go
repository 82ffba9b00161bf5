package delivery

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
)

// Hold is how a resource tells what it has made from what somebody else has.
type Hold struct {
	// Creation is the id of the creation or adoption that the resource's state
	// records, "" if there is none yet or a version without marks made it.
	Creation string
	// Incomplete: that creation has failed half-way.
	Incomplete bool
	// Retried: the delete is the first half of a replacement by a resource of
	// the same name, as Terraform plans it for one whose creation has failed.
	Retried bool
	// Adopt takes over what somebody else has made.
	Adopt bool
	// Seen is what the plan saw of what Adopt takes over, as in
	// Adoption.Seen; nil if the plan could not look.
	Seen *string
}

// ownership tells whose an object is, for one configuration.
type ownership struct {
	Owner string
	// Defaults are on all that is made, under what a resource sets itself.
	Defaults  carvel.Metadata
	creations creations
}

// creations are those that this process knows of. Terraform starts one process
// for a plan, and another one for the apply.
type creations struct {
	mu   sync.Mutex
	held map[string]bool // by resources of this configuration
	left map[string]bool // by a delete, for the create that follows
}

func (c *creations) note(into *map[string]bool, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if *into == nil {
		*into = map[string]bool{}
	}
	(*into)[id] = true
}

func (c *creations) hold(id string)  { c.note(&c.held, id) }
func (c *creations) leave(id string) { c.note(&c.left, id) }

func (c *creations) is(what map[string]bool, id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return what[id]
}

// mark is that of a resource's creation, of a new one where its state records
// none.
func (o *ownership) mark(resource, creation string) carvel.Mark {
	if creation == "" {
		id := make([]byte, 8)
		_, _ = rand.Read(id) // never fails
		creation = hex.EncodeToString(id)
	}
	o.creations.hold(creation)
	return carvel.Mark{Creation: creation, Owner: o.Owner, Resource: resource}
}

// resumes reports whether what bears a mark is what an earlier creation of the
// same resource has made and Terraform has no record of, so that this creation
// goes on with it: the same configuration made it for the same resource, and no
// other creation of this run did. What a delete of this run has left for its
// retry is known by its id.
func (o *ownership) resumes(theirs, mine carvel.Mark) bool {
	switch {
	case theirs.Creation == "":
		return false
	case theirs.Creation == mine.Creation, o.creations.is(o.creations.left, theirs.Creation):
		return true
	}
	return theirs.Owner == mine.Owner && theirs.Resource == mine.Resource && !o.creations.is(o.creations.held, theirs.Creation)
}

// TakenOverError: what was to be changed bears the mark of another creation.
type TakenOverError struct {
	Where, What string
	By          carvel.Mark
}

func (e *TakenOverError) Error() string {
	return fmt.Sprintf("%s in %s has been taken over by %s", e.What, e.Where, e.By.Describe())
}

// isTaken reports whether what bears a mark belongs to another creation than the
// one that is recorded. What bears none belongs to whom its names say.
func (h Hold) isTaken(theirs carvel.Mark) bool {
	return theirs.Creation != "" && theirs.Creation != h.Creation
}

// lost reports whether an update must leave what bears a mark to another resource.
// A state that records no creation yet may be followed by an update that was
// interrupted.
func (o *ownership) lost(theirs, mine carvel.Mark, how Hold) bool {
	return how.isTaken(theirs) && (how.Creation != "" || !o.resumes(theirs, mine))
}

// takenBy names the resource that has taken over what bears a mark, "" if
// none has.
func (o *ownership) takenBy(resource string, theirs carvel.Mark, how Hold) string {
	if !o.lost(theirs, carvel.Mark{Owner: o.Owner, Resource: resource}, how) {
		return ""
	}
	return theirs.Describe()
}

// Reasons why a delete leaves something.
const (
	// LeftTaken: another resource has taken it over.
	LeftTaken = "taken over"
	// LeftForRetry: the create that follows goes on with it.
	LeftForRetry = "for the retry"
	// LeftForReplacement: it was there before it was adopted, and what takes the
	// resource's place goes on with it.
	LeftForReplacement = "for the replacement"
	// LeftHalfAdopted: an adoption that failed half-way has touched it.
	LeftHalfAdopted = "half adopted"
	// LeftAdopted: it was there before it was adopted.
	LeftAdopted = "adopted"
	// LeftInUse: another App uses it.
	LeftInUse = "in use"
)

// Left is something that a delete has left in its place.
type Left struct {
	Where, What string
	Reason      string // one of those above
	By          string // who holds or uses it, for LeftTaken and LeftInUse
}

// leaves is why a delete by a resource leaves what bears a mark, "" if it does
// not.
func (o *ownership) leaves(resource string, theirs carvel.Mark, how Hold) string {
	switch {
	case o.lost(theirs, carvel.Mark{Owner: o.Owner, Resource: resource}, how):
		return LeftTaken
	case how.Incomplete && how.Retried:
		return LeftForRetry
	case how.Incomplete && theirs.Adopted:
		return LeftHalfAdopted
	}
	return ""
}

// isAdopted reports whether an object was there before the resource took it over, by
// an adoption, or by an import: then no creation is recorded.
func (h Hold) isAdopted(live *unstructured.Unstructured) bool {
	mark := carvel.MarkOf(live)
	return mark.Adopted || h.Creation == "" && live != nil && mark.Creation == "" && !carvel.IsManaged(live)
}

// isReplaced reports whether what is found is not what the resource records: it
// has another UID, which is not empty if it is known, and not its mark.
// Somebody has deleted the one and made the other.
func (h Hold) isReplaced(live *unstructured.Unstructured, uid types.UID) bool {
	theirs := carvel.MarkOf(live)
	return uid != "" && live.GetUID() != uid && theirs.Creation == "" && (h.Creation != "" || !carvel.IsManaged(live))
}

// left notes what a delete leaves. What waits for a retry is what the create
// that follows goes on with.
func (o *ownership) left(where, what, reason string, theirs carvel.Mark) Left {
	if reason == LeftForRetry || reason == LeftForReplacement {
		o.creations.leave(theirs.Creation)
	}
	return Left{Where: where, What: what, Reason: reason, By: theirs.Describe()}
}

// takeOver is the mark with which a creation goes on with an object that is
// there, or the reason why it must not.
func (o *ownership) takeOver(where string, live *unstructured.Unstructured, mine carvel.Mark, adopt bool) (carvel.Mark, error) {
	theirs := carvel.MarkOf(live)
	switch {
	case o.resumes(theirs, mine):
		mine.Adopted = theirs.Adopted
	case !adopt:
		return mine, &ExistsError{Where: where, What: refOf(live).String(), Mark: theirs}
	default:
		mine.Adopted = true
	}
	return mine, nil
}

// establish applies an object that a creation is to have, with its mark. One
// that is there is gone on with or taken over as takeOver says, and only as it
// was read; one that is being deleted is waited for. adopt, if not nil, tells
// of one that is somebody else's whether it may be taken over. before is what was
// there.
func (o *ownership) establish(ctx context.Context, c Cluster, obj *unstructured.Unstructured, mine carvel.Mark, m cluster.Manager,
	adopt func(live *unstructured.Unstructured) error,
) (live, before *unstructured.Unstructured, err error) {
	ref := refOf(obj)
	for {
		live, err := c.ApplyNew(ctx, ref, mine.On(obj), m)
		var exists *cluster.ExistsError
		if !errors.As(err, &exists) {
			return live, nil, err
		}
		there := exists.Live
		if there.GetDeletionTimestamp() != nil {
			if err := c.WaitGone(ctx, ref, there.GetUID(), nil); err != nil {
				return nil, nil, err
			}
			continue
		}
		over, err := o.takeOver(c.Name(), there, mine, adopt != nil)
		if err != nil {
			return nil, nil, err
		}
		if adopt != nil && !o.resumes(carvel.MarkOf(there), mine) {
			if err := adopt(there); err != nil {
				return nil, nil, err
			}
		}
		live, err = c.ApplyOver(ctx, ref, over.On(obj), there, m)
		if !errors.Is(err, cluster.ErrChanged) {
			return live, there, err
		}
	}
}

// remove deletes an object of the resource's, and waits for nothing. It leaves
// what the hold says, what does not bear the provider's label, and releases what
// was adopted.
func (o *ownership) remove(ctx context.Context, c Cluster, ref cluster.Ref, resource string, how ForCluster) ([]Left, error) {
	for {
		live, err := find(ctx, c, ref)
		if err != nil || live == nil || !carvel.IsManaged(live) {
			return nil, err
		}
		theirs := carvel.MarkOf(live)
		reason := o.leaves(resource, theirs, how.Hold)
		if reason == "" && theirs.Adopted && how.Retried {
			reason = LeftForRetry // it would be somebody else's for the create
		}
		if reason != "" {
			return []Left{o.left(c.Name(), ref.String(), reason, theirs)}, nil
		}
		if theirs.Adopted {
			err = o.release(ctx, c, live, how.Manager)
		} else {
			err = c.Delete(ctx, ref, live)
		}
		switch {
		case errors.Is(err, cluster.ErrChanged):
			continue
		case err == nil && theirs.Adopted:
			return []Left{o.left(c.Name(), ref.String(), LeftAdopted, theirs)}, nil
		}
		return nil, err
	}
}

// release gives up an object: the fields that the provider alone has set go,
// the mark and the label among them, and the object stays.
func (o *ownership) release(ctx context.Context, c Cluster, live *unstructured.Unstructured, m cluster.Manager) error {
	bare := &unstructured.Unstructured{Object: map[string]any{}}
	bare.SetAPIVersion(live.GetAPIVersion())
	bare.SetKind(live.GetKind())
	bare.SetNamespace(live.GetNamespace())
	bare.SetName(live.GetName())
	_, err := c.ApplyOver(ctx, refOf(live), bare, live, m)
	return err
}
