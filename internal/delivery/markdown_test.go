package delivery

import (
	"slices"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// hostile are names that a directory on a push branch may have.
var hostile = []string{
	"@everyone", "a`b", "``", "`", "a|b", "[x](https://evil.example)", "https://evil.example", "a\n| forged | row |", "a\r\n\r\n# heading", "#1", "!1", "<img src=x>", "</summary></details>@team",
	"<!-- end of changes -->", "__init__", "*x*", " ", "\x1b[2J", "\u202eabc", "a&lt;b", "x@example.com", strings.Repeat("n", 5000), "```\n@everyone", `\|@everyone`,
}

// withoutCode is a body without what is marked as code, which no host looks into, as CommonMark has it: in a table a pipe is told from the
// border of a cell before that.
func withoutCode(t *testing.T, body string) string {
	t.Helper()
	var lines []string
	fence := ""
	for line := range strings.SplitSeq(body, "\n") {
		run := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case fence == "" && len(run) >= 3 && !strings.Contains(line[len(run):], "`"):
			fence = run
		case fence != "":
			if len(run) >= len(fence) && run == line {
				fence = ""
			}
		default:
			lines = append(lines, line)
		}
	}
	if fence != "" {
		t.Errorf("a block of code has no end:\n%s", body)
	}
	var text strings.Builder
	rest := strings.Join(lines, "\n")
	for rest != "" {
		start := strings.IndexByte(rest, '`')
		if html := strings.Index(rest, "<code>"); html >= 0 && (start < 0 || html < start) {
			before, after, _ := strings.Cut(rest, "<code>")
			_, rest, _ = strings.Cut(after, "</code>")
			text.WriteString(before)
			continue
		}
		if start < 0 {
			break
		}
		text.WriteString(rest[:start])
		rest = rest[start:]
		run := len(rest) - len(strings.TrimLeft(rest, "`"))
		end := 0
		for at := run; end == 0 && at < len(rest); {
			n := len(rest[at:]) - len(strings.TrimLeft(rest[at:], "`"))
			if n == run {
				end = at + n
			}
			at += max(n, 1)
		}
		if end == 0 {
			t.Fatalf("a code span has no end: %q", rest)
		}
		rest = rest[end:]
	}
	return text.String() + rest
}

// TestBody_hostile: whatever others call a directory or a version, the body keeps its form and notifies nobody.
func TestBody_hostile(t *testing.T) {
	for _, name := range hostile {
		at := repolayout.Install{Package: name, RunCluster: name}
		for _, c := range []changes{
			{installs: []installChange{{at: at, verb: "update", before: name, after: name + "2", diff: unified(name, name, name+"\n@everyone")}}, files: []string{name}, others: []string{name}},
			{installs: []installChange{{at: at, verb: "add", after: name, diff: unified(name, "", name)}}, files: []string{name}},
			{installs: []installChange{{at: at, verb: "remove", before: name, diff: unified(name, name, "")}}, files: []string{name}},
		} {
			body := c.body("", 60000)
			plain := withoutCode(t, body)
			if strings.Count(body, changesBegin) != 1 || strings.Count(body, changesEnd) != 1 || !strings.HasSuffix(body, changesEnd) {
				t.Errorf("%q: the marks of the part are not alone:\n%s", name, body)
			}
			if strings.ContainsAny(plain, "@#[]*_&\x1b\u202e") || strings.Contains(plain, "://") || strings.Count(plain, "</") != 2 || strings.Contains(plain, "<img") {
				t.Errorf("%q is not marked as code:\n%s", name, plain)
			}
			rows := slices.DeleteFunc(strings.Split(body, "\n"), func(line string) bool { return !strings.HasPrefix(line, "|") })
			if len(rows) != 3 || strings.Contains(rows[2], `\\|`) || strings.Count(strings.ReplaceAll(rows[2], `\|`, ""), "|") != 4 {
				t.Errorf("%q: the rows are %q", name, rows)
			}
			if title := c.title(); strings.ContainsAny(title, "@#`[]\n\r\x1b\u202e") || len(title) > 1000 {
				t.Errorf("%q: the title is %q", name, title)
			}
			if again := withChanges("Theirs.\n\n"+body+"\n\nMore.", body); again != "Theirs.\n\n"+body+"\n\nMore." {
				t.Errorf("%q: the body changes when it is written again:\n%s", name, again)
			}
		}
	}
	whole := changes{installs: []installChange{{at: repolayout.Install{Package: "app.default.tap", RunCluster: "prod"}, verb: "update", before: "1.0.0", after: ">=1.0.0 <2.0.0 || 3.0.0"}}}
	if body := whole.body("", 60000); !strings.Contains(body, "| app.default.tap | prod | 1.0.0 → ` >=1.0.0 <2.0.0 \\|\\| 3.0.0 ` |") {
		t.Errorf("%s", body)
	}
	if title := whole.title(); title != "Update app.default.tap on prod to >=1.0.0 <2.0.0 || 3.0.0" {
		t.Errorf("%s", title)
	}
}
