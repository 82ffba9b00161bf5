package version

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/blang/semver/v4"
)

// Selection says which versions of a Package a PackageInstall accepts
// (spec.packageRef.versionSelection).
type Selection struct {
	// Constraint is a range in the controller's grammar; "" accepts any version.
	Constraint string
	// Prereleases admits versions such as 1.0.0-rc.1; nil keeps them all out.
	Prereleases *Prereleases
}

// Prereleases narrows the admitted prereleases to those that carry one of Identifiers
// among their non-numeric parts. No identifiers admit every prerelease.
type Prereleases struct {
	Identifiers []string `json:"identifiers,omitempty"`
}

// NoMatchError says that no version was left, and after which filter.
// The counts are versions, of those that parse.
type NoMatchError struct {
	All, AfterPrereleases, AfterConstraints int
}

// Error is the text that the controller puts into the PackageInstall's condition.
func (e *NoMatchError) Error() string {
	return fmt.Sprintf("Expected to find at least one version, but did not (details: all=%d -> after-prereleases-filter=%d"+
		" -> after-kapp-controller-version-check=%d -> after-constraints-filter=%d)",
		e.All, e.AfterPrereleases, e.AfterPrereleases, e.AfterConstraints)
}

// Select picks the highest of versions that s accepts, as the controller does.
// It returns the version as it was given. Versions that do not parse are left out
// without an error; a leading v is tolerated. A constraint that does not parse gives
// the controller's text; nothing left gives a *NoMatchError.
func Select(versions []string, s Selection) (string, error) {
	pre := s.prereleases()
	var (
		counts NoMatchError
		best   string
		top    semver.Version
	)
	ranges, rangeErr := parseConstraint(s.Constraint)
	for _, candidate := range versions {
		v, err := parseCandidate(candidate)
		if err != nil {
			continue
		}
		counts.All++
		if !pre.admits(v) {
			continue
		}
		counts.AfterPrereleases++
		if !ranges.contains(v) {
			continue
		}
		counts.AfterConstraints++
		if best == "" || compare(v, top) >= 0 {
			best, top = candidate, v
		}
	}
	if rangeErr != nil {
		return "", fmt.Errorf("Selecting versions: Parsing version constraint '%s': %w", s.Constraint, rangeErr) //nolint:staticcheck // the controller's own text
	}
	if best == "" {
		return "", &counts
	}
	return best, nil
}

// prereleases are those that s admits: a constraint that is one prerelease admits them by itself.
func (s Selection) prereleases() *Prereleases {
	if v, err := semver.Parse(s.Constraint); s.Prereleases == nil && err == nil && len(v.Pre) > 0 {
		return &Prereleases{}
	}
	return s.Prereleases
}

// Accepted are those of versions that s accepts, newest first and as they were given.
func (s Selection) Accepted(versions []string) []string {
	ranges, err := parseConstraint(s.Constraint)
	if err != nil {
		return nil
	}
	pre := s.prereleases()
	var in []string
	for _, candidate := range versions {
		if v, err := parseCandidate(candidate); err == nil && pre.admits(v) && ranges.contains(v) {
			in = append(in, candidate)
		}
	}
	return NewestFirst(in)
}

// NewestFirst sorts a copy. Versions that do not parse come last.
func NewestFirst(versions []string) []string {
	parsed := make(map[string]semver.Version, len(versions))
	for _, version := range versions {
		if v, err := parseCandidate(version); err == nil {
			parsed[version] = v
		}
	}
	return slices.SortedStableFunc(slices.Values(versions), func(a, b string) int {
		x, okX := parsed[a]
		y, okY := parsed[b]
		switch {
		case okX && okY:
			return compare(y, x)
		case okX:
			return -1
		case okY:
			return 1
		}
		return strings.Compare(a, b)
	})
}

// Compare orders two versions as the controller does: semver, then build
// metadata too. The result is -1, 0 or 1; a leading v is tolerated.
func Compare(a, b string) (int, error) {
	va, err := parseCandidate(a)
	if err != nil {
		return 0, fmt.Errorf("version %q: %w", a, err)
	}
	vb, err := parseCandidate(b)
	if err != nil {
		return 0, fmt.Errorf("version %q: %w", b, err)
	}
	return compare(va, vb), nil
}

func parseCandidate(s string) (semver.Version, error) {
	return semver.Parse(strings.TrimPrefix(s, "v"))
}

func (p *Prereleases) admits(v semver.Version) bool {
	switch {
	case len(v.Pre) == 0:
		return true
	case p == nil:
		return false
	case len(p.Identifiers) == 0:
		return true
	}
	return slices.ContainsFunc(v.Pre, func(part semver.PRVersion) bool {
		return !part.IsNum && slices.Contains(p.Identifiers, part.VersionStr)
	})
}

// compare adds build metadata to the order: none is lowest, then identifier by
// identifier as in a prerelease.
func compare(a, b semver.Version) int {
	if c := a.Compare(b); c != 0 {
		return c
	}
	return slices.CompareFunc(a.Build, b.Build, compareBuild)
}

func compareBuild(a, b string) int {
	na, errA := strconv.ParseUint(a, 10, 64)
	nb, errB := strconv.ParseUint(b, 10, 64)
	switch {
	case errA == nil && errB == nil && na != nb:
		return cmp.Compare(na, nb)
	case errA == nil && errB != nil:
		return -1
	case errA != nil && errB == nil:
		return 1
	}
	return strings.Compare(a, b)
}
