package providerdata

import (
	"errors"
	"sync"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Claims tell two resources that would write the same objects or files apart
// from one that is planned twice. Terraform plans a resource that is to be
// replaced first with its prior state and then, with the same configuration,
// without. Its zero value is ready to use; each plan and each apply configures
// the provider anew, and has claims of its own.
type Claims struct {
	mu        sync.Mutex
	byPlace   map[string]claim
	destroyed map[string]bool
	made      map[string]bool
	retried   map[string]bool
}

type claim struct {
	config tftypes.Value
	prior  bool // the last time that it was planned
}

// Errors of a claim.
var (
	ErrClaimed = errors.New("another resource has it")
	ErrRenamed = errors.New("another resource that is to be destroyed has it")
)

// Claim notes that a resource with this configuration is planned at a place;
// prior reports whether it has a prior state. It is ErrClaimed if the place
// belongs to another resource, and ErrRenamed if another one that has it is
// destroyed by the same plan.
func (c *Claims) Claim(place string, config tftypes.Value, prior bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	before, claimed := c.byPlace[place]
	replaced := before.prior && !prior && before.config.Equal(config)
	if claimed && !replaced {
		return ErrClaimed
	}
	set(&c.byPlace, place, claim{config: config, prior: prior})
	if !prior && !replaced && c.destroyed[place] && !c.retried[place] {
		return ErrRenamed
	}
	return nil
}

// Claimed reports whether a resource is planned at a place, so far.
func (c *Claims) Claimed(place string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, claimed := c.byPlace[place]
	return claimed
}

// Destroy notes that a resource is planned to be destroyed. It is ErrRenamed
// if another one that takes its place is created by the same plan. One that
// is created before the other is destroyed has been made by then.
func (c *Claims) Destroy(place string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	set(&c.destroyed, place, true)
	if other, claimed := c.byPlace[place]; claimed && !other.prior && !c.made[place] && !c.retried[place] {
		return ErrRenamed
	}
	return nil
}

// Made notes that a resource has been created.
func (c *Claims) Made(place string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	set(&c.made, place, true)
}

// Retried notes that the creation of a resource has failed half-way, so that
// Terraform plans to replace it. An older one may be destroyed beside it.
func (c *Claims) Retried(place string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	set(&c.retried, place, true)
}

func set[V any](m *map[string]V, key string, value V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = value
}
