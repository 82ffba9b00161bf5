package kubeconfigsecret

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/resource"
)

// NewAt makes the resource with a clock of the test's own.
func NewAt(now func() time.Time) resource.Resource { return &kubeconfigSecret{now: now} }
