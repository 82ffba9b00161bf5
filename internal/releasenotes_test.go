package internal_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestReleaseNotes: the notes of a release are its section of the changelog, and a
// release without one is refused.
func TestReleaseNotes(t *testing.T) {
	changelog := filepath.Join(t.TempDir(), "CHANGELOG.md")
	text := "# Changelog\n\n## [Unreleased]\n\n- Later.\n\n## [1.10.0] - 2027-01-02\n\n### Added\n\n- One, see [x].\n\n" +
		"## [1.1.0] - 2027-01-01\n\n- Zero.\n\n## [1.0.0]\n\n\n[Unreleased]: https://example.com\n"
	if err := os.WriteFile(changelog, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for tag, want := range map[string]string{
		"v1.10.0": "### Added\n\n- One, see [x].\n",
		"v1.1.0":  "- Zero.\n",
		"v1.0.0":  "",
		"v1.1":    "",
		"v2.0.0":  "",
	} {
		output, err := exec.Command("../.ci/release-notes", tag, changelog).Output()
		if string(output) != want || (err == nil) != (want != "") {
			t.Errorf("notes of %s: %q, %v, want %q", tag, output, err, want)
		}
	}
}
