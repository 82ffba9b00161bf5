package gitops

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestMessage_trailers: whatever is appended, git finds the trailers.
func TestMessage_trailers(t *testing.T) {
	t.Parallel()
	ours := []string{"Provider: test/1", "GitHub-Run: https://github.com/acme/gitops/actions/runs/7"}
	for name, test := range map[string]struct {
		appendix string
		text     string // what of it is before the trailers
		more     []string
	}{
		"none":                    {},
		"blank":                   {appendix: " \n\n"},
		"a word":                  {appendix: "[skip ci]", text: "[skip ci]"},
		"two paragraphs":          {appendix: "See the runbook:\nit is long.\n\n[skip ci]\n", text: "See the runbook:\nit is long.\n\n[skip ci]"},
		"a trailer":               {appendix: "Signed-off-by: Ada <ada@example.com>", more: []string{"Signed-off-by: Ada <ada@example.com>"}},
		"text, then trailers":     {appendix: "[skip ci]\r\n \r\nOne: 1\r\nTwo: 2\r\n", text: "[skip ci]", more: []string{"One: 1", "Two: 2"}},
		"text and a trailer":      {appendix: "One: 1\nand more", text: "One: 1\nand more"},
		"trailers before text":    {appendix: "One: 1\n\n[skip ci]", text: "One: 1\n\n[skip ci]"},
		"a line that is no token": {appendix: "See also: here", text: "See also: here"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := &target{Config: Config{UserAgent: "test/1", MessageAppendix: test.appendix, Trailers: []Trailer{
				{Name: "TFC-Run-ID"}, {Name: "GitHub-Run", Value: "https://github.com/acme/gitops/actions/runs/7"},
			}}}
			for _, summaries := range [][]string{{"Install app"}, {"Install app", "Install web"}} {
				message := target.message(summaries)
				if want := append(slices.Clone(ours), test.more...); !slices.Equal(trailersOf(t, message), want) {
					t.Errorf("git finds the trailers %q, want %q, in\n%s", trailersOf(t, message), want, message)
				}
				if test.text != "" && !strings.Contains(message, "\n\n"+test.text+"\n\nProvider: ") {
					t.Errorf("the text is not in a place of its own:\n%s", message)
				}
				if strings.Contains(message, "\n\n\n") || strings.TrimSpace(message)+"\n" != message {
					t.Errorf("blank lines in %q", message)
				}
			}
		})
	}
}

func trailersOf(t *testing.T, message string) []string {
	t.Helper()
	git := exec.Command("git", "interpret-trailers", "--parse")
	git.Stdin = strings.NewReader(message)
	output, err := git.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(output)), "\n")
}
