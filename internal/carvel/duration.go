package carvel

import (
	"fmt"
	"time"
)

// minSyncPeriod is what kapp-controller raises a shorter sync period to.
const minSyncPeriod = 30 * time.Second

// CanonicalDuration returns a duration as Go writes it ("90s" becomes
// "1m30s"), which is the form that kapp-controller rewrites it to. The empty
// string stays empty. One that Go cannot parse is refused: the API accepts any
// text, and a bad one stops the controller from seeing any App of the cluster.
func CanonicalDuration(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return "", fmt.Errorf("%q is not a duration such as 30s, 10m or 1h30m", s)
	}
	if d < minSyncPeriod {
		return "", fmt.Errorf("%q is shorter than 30s, the shortest period that kapp-controller keeps to", s)
	}
	return d.String(), nil
}
