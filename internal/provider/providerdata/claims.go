package providerdata

import (
	"sync"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Claims tell two resources that would write the same files apart from one that
// is planned twice. Terraform plans a resource that is to be replaced first with
// its prior state and then, with the same configuration, without. Its zero value
// is ready to use; each plan and each apply configures the provider anew, and
// has claims of its own.
type Claims struct {
	mu     sync.Mutex
	byPath map[string]claim
}

type claim struct {
	config tftypes.Value
	prior  bool // the last time that it was planned
}

// Claim notes that a resource with this configuration is planned at a path;
// prior tells whether it has a prior state. It is false where the path belongs
// to another resource.
func (c *Claims) Claim(path string, config tftypes.Value, prior bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byPath == nil {
		c.byPath = map[string]claim{}
	}
	before, claimed := c.byPath[path]
	replaced := before.prior && !prior && before.config.Equal(config)
	if claimed && !replaced {
		return false
	}
	c.byPath[path] = claim{config: config, prior: prior}
	return true
}
