package gitops

import (
	"errors"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
)

func TestCheckName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"", ".", "..", ".git", ".GIT", ".Git", ".git ", ".git.", ".git. .", ".git:stream", "git~1", "GIT~1", "git~1 ", "git~1.", "git~1::$INDEX_ALLOCATION",
		".g\u200cit", ".\u200dgit", "\ufeff.git", ".gi\u206ft", ".gıt\\", "a\\b", ".git\\x", "..\\x", "a/b", "a\x00", "a\nb", "a\rb", "a\x1b[31m", "\x7f",
		"a.", "a ", "a. ", "...", " ", "\xff", ".g\xffit",
	} {
		var wrong *NameError
		if err := CheckName(name); !errors.As(err, &wrong) || wrong.Name != name {
			t.Errorf("%q: %v, want *NameError", name, err)
		} else if printable.Text(err.Error(), 1<<10) != err.Error() {
			t.Errorf("%q is not fit for a terminal", err.Error())
		}
		if strings.Contains(name, "/") {
			continue // are two names of a path
		}
		if err := CheckPath("a/" + name + "/b"); !errors.As(err, new(*PathError)) {
			t.Errorf("a path with %q: %v, want *PathError", name, err)
		}
	}
	for _, name := range []string{
		".gitignore", ".gitkeep", ".gitmodules", ".gitattributes", "git", "git~2", "git~10", ".gitt", "agit", "x.git", "app.default.tap", "staging", "a b", " a", "ü", "日本",
		".terraform-provider-carvel", "packageinstall.yaml", "a:b", "...a", "g\u200cit",
	} {
		if err := CheckName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}
