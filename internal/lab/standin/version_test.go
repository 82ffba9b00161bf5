package standin

import "testing"

// TestHighest has cases that were recorded from kapp-controller.
func TestHighest(t *testing.T) {
	all := []string{"1.0.0", "1.2.0", "1.10.0", "2.0.0-rc.1", "2.0.0-beta.2", "1.0.0+b.1", "nonsense"}
	for _, c := range []struct {
		name          string
		constraint    string
		prereleases   bool
		identifiers   []string
		want, refused string
	}{
		{name: "all", want: "1.10.0"},
		{name: "a range", constraint: ">=0.0.0 <1.10.0", want: "1.2.0"},
		{name: "build metadata", constraint: "<1.1.0", want: "1.0.0+b.1"},
		{name: "prereleases", prereleases: true, want: "2.0.0-rc.1"},
		{name: "some prereleases", prereleases: true, identifiers: []string{"beta"}, want: "2.0.0-beta.2"},
		{name: "one prerelease", constraint: "2.0.0-rc.1", want: "2.0.0-rc.1"},
		{
			name: "none", constraint: "3.x",
			refused: "Expected to find at least one version, but did not (details: all=6 -> after-prereleases-filter=4" +
				" -> after-kapp-controller-version-check=4 -> after-constraints-filter=0)",
		},
		{
			name: "not a version", constraint: "not a version",
			refused: `Selecting versions: Parsing version constraint 'not a version': Could not get version from string: "not"`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := versionSelection{Constraints: c.constraint}
			if c.prereleases {
				s.Prereleases = &struct {
					Identifiers []string `json:"identifiers,omitempty"`
				}{c.identifiers}
			}
			got, err := s.highest(all)
			if c.refused != "" {
				if err == nil || err.Error() != c.refused {
					t.Errorf("got %q, %v; want the error %s", got, err, c.refused)
				}
				return
			}
			if got != c.want || err != nil {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestIsLower(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{{"1.2.0", "1.10.0", true}, {"1.10.0", "1.2.0", false}, {"1.0.0", "1.0.0", false}, {"1.0.0-rc.1", "1.0.0", true}, {"1.0.0+b.9", "1.0.0+b.10", true}} {
		t.Run(c.a, func(t *testing.T) {
			if got, err := isLower(c.a, c.b); got != c.want || err != nil {
				t.Errorf("%s, %s: %v, %v", c.a, c.b, got, err)
			}
		})
	}
	if _, err := isLower("x", "1.0.0"); err == nil {
		t.Error("no version is lower than another")
	}
}
