package standin

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/blang/semver/v4"
)

// versionSelection is spec.packageRef.versionSelection of a PackageInstall. The
// stand-in decides by the semver library that the controller's own is a fork of,
// and not by package version, which it is there to test.
type versionSelection struct {
	Constraints string `json:"constraints,omitempty"`
	Prereleases *struct {
		Identifiers []string `json:"identifiers,omitempty"`
	} `json:"prereleases,omitempty"`
}

// highest is the highest of the versions that are selected, or the controller's
// error.
func (s versionSelection) highest(versions []string) (string, error) {
	inRange := func(semver.Version) bool { return true }
	if s.Constraints != "" {
		parsed, err := semver.ParseRange(s.Constraints)
		if err != nil {
			return "", said("Selecting versions: Parsing version constraint '%s': %s", s.Constraints, err)
		}
		inRange = parsed
	}
	var all, released, selected []semver.Version
	names := map[string]string{}
	for _, name := range versions {
		v, err := parseVersion(name)
		if err != nil {
			continue
		}
		names[v.String()] = name
		all = append(all, v)
		if !s.admits(v) {
			continue
		}
		released = append(released, v)
		if inRange(v) {
			selected = append(selected, v)
		}
	}
	if len(selected) == 0 {
		return "", said("Expected to find at least one version, but did not (details: all=%d -> after-prereleases-filter=%d"+
			" -> after-kapp-controller-version-check=%d -> after-constraints-filter=0)", len(all), len(released), len(released))
	}
	return names[slices.MaxFunc(selected, compareVersions).String()], nil
}

// admits reports whether the selection takes a version, were it not for the range. A
// constraint that is one prerelease asks for prereleases by itself.
func (s versionSelection) admits(v semver.Version) bool {
	exact, err := semver.Parse(s.Constraints)
	switch {
	case len(v.Pre) == 0, s.Prereleases == nil && err == nil && len(exact.Pre) > 0:
		return true
	case s.Prereleases == nil:
		return false
	case len(s.Prereleases.Identifiers) == 0:
		return true
	}
	return slices.ContainsFunc(v.Pre, func(part semver.PRVersion) bool {
		return !part.IsNum && slices.Contains(s.Prereleases.Identifiers, part.VersionStr)
	})
}

func parseVersion(text string) (semver.Version, error) {
	return semver.Parse(strings.TrimPrefix(text, "v"))
}

// compareVersions orders build metadata too, as the controller's fork does.
func compareVersions(a, b semver.Version) int {
	return cmp.Or(a.Compare(b), slices.CompareFunc(a.Build, b.Build, func(x, y string) int {
		m, errX := strconv.Atoi(x)
		n, errY := strconv.Atoi(y)
		if errX == nil && errY == nil {
			return cmp.Compare(m, n)
		}
		return cmp.Compare(x, y)
	}))
}

// isLower reports whether one version is lower than another.
func isLower(version, than string) (bool, error) {
	v, err := parseVersion(version)
	if err != nil {
		return false, fmt.Errorf("version %q: %w", version, err)
	}
	other, err := parseVersion(than)
	if err != nil {
		return false, fmt.Errorf("version %q: %w", than, err)
	}
	return compareVersions(v, other) < 0, nil
}
