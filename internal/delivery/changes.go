package delivery

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/pmezard/go-difflib/difflib"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/printable"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// changes are what a merge of the push branch does.
type changes struct {
	installs []installChange
	files    []string // all of them, of package installs and others
	others   []string // that are of no package install
}

// installChange is what it does to one package install.
type installChange struct {
	at            repolayout.Install
	verb          string // add, update, remove
	before, after string // the versions; empty: there is none
	diff          string // of the files, the values masked
}

// changes compares the push branch with the branch that clusters follow.
func (ps *Proposals) changes(ctx context.Context) (changes, error) {
	var all changes
	differences, err := ps.Pushed.Differences(ctx)
	if err != nil {
		return all, err
	}
	type sides struct{ before, after installfiles.Contents }
	touched := map[repolayout.Install]sides{}
	for _, d := range differences {
		all.files = append(all.files, d.Path)
		at, ok := ps.Layout.At(path.Dir(d.Path))
		name := path.Base(d.Path)
		switch {
		case !ok || !slices.Contains(installfiles.AllNames, name) && name != repolayout.KeepFile:
			all.others = append(all.others, d.Path)
			continue
		case name == repolayout.MarkFile || name == repolayout.KeepFile:
			continue
		}
		s, seen := touched[at]
		if !seen {
			s = sides{installfiles.Contents{}, installfiles.Contents{}}
		}
		if d.Base != nil {
			s.before[name] = d.Base
		}
		if d.Head != nil {
			s.after[name] = d.Head
		}
		touched[at] = s
	}
	for _, at := range slices.SortedFunc(maps.Keys(touched), func(a, b repolayout.Install) int {
		return strings.Compare(ps.Layout.Dir(a), ps.Layout.Dir(b))
	}) {
		c, err := ps.installChange(ctx, at, touched[at].before, touched[at].after)
		if err != nil {
			return all, err
		}
		all.installs = append(all.installs, c)
	}
	return all, nil
}

func (ps *Proposals) installChange(ctx context.Context, at repolayout.Install, before, after installfiles.Contents) (installChange, error) {
	c := installChange{at: at, verb: "update", before: versionIn(before), after: versionIn(after)}
	_, was := before[repolayout.PackageInstallFile]
	_, is := after[repolayout.PackageInstallFile]
	switch {
	case was && !is:
		c.verb = "remove"
	case is && !was:
		c.verb = "add"
	case !is: // it is the same on both sides
		data, _, err := read(ctx, ps.Pushed, ps.Layout.Path(at, repolayout.PackageInstallFile))
		if err != nil {
			return c, err
		}
		c.after = versionIn(installfiles.Contents{repolayout.PackageInstallFile: data})
		c.before = c.after
	}
	shownBefore, shownAfter := before.Shown(), after.Shown()
	for _, name := range installfiles.AllNames {
		_, there := before[name]
		if _, here := after[name]; !there && !here || name == repolayout.MarkFile {
			continue
		}
		c.diff += unified(ps.Layout.Path(at, name), shownBefore[name], shownAfter[name])
	}
	return c, nil
}

// versionIn is the version that a PackageInstall asks for; empty: none, or it cannot be read.
func versionIn(files installfiles.Contents) string {
	data, ok := files[repolayout.PackageInstallFile]
	if !ok {
		return ""
	}
	spec, _, err := installfiles.Parse(installfiles.Contents{repolayout.PackageInstallFile: data})
	if err != nil {
		return ""
	}
	return spec.Install.PackageRef.VersionSelection.Constraints
}

// unified is a difference in the form that people know. What is masked on both sides shows none.
func unified(file, before, after string) string {
	name := printable.Line(file, printable.Most)
	if before == after {
		return fmt.Sprintf("--- %s\n+++ %s\n  (only what is masked has changed)\n", name, name)
	}
	text, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
		A: difflib.SplitLines(before), B: difflib.SplitLines(after), FromFile: name, ToFile: name, Context: 2,
	})
	if err != nil {
		return "" // of a writer to memory: there is none
	}
	return text
}

// title tells in one line what a merge does.
func (c changes) title() string {
	switch len(c.installs) {
	case 0:
		return fmt.Sprintf("Change %d files", len(c.files))
	case 1:
		i := c.installs[0]
		verb := strings.ToUpper(i.verb[:1]) + i.verb[1:]
		what := fmt.Sprintf("%s %s on %s", verb, inTitle(i.at.Package), inTitle(i.at.RunCluster))
		if i.after != "" && i.after != i.before {
			return what + " to " + inTitle(i.after)
		}
		return what
	}
	var clusters []string
	for _, i := range c.installs {
		if !slices.Contains(clusters, i.at.RunCluster) {
			clusters = append(clusters, i.at.RunCluster)
		}
	}
	slices.Sort(clusters)
	where := inTitle(strings.Join(clusters, ", "))
	if len(clusters) > 3 {
		where = fmt.Sprintf("%d clusters", len(clusters))
	}
	return fmt.Sprintf("Deliver %d packages to %s", len(c.installs), where)
}

// body is the part of a request's body about the changes, in at most so many bytes together with another part.
func (c changes) body(beside string, limit int) string {
	limit -= len(beside) + len(changesBegin) + len(changesEnd) + 200
	var text strings.Builder
	text.WriteString(changesBegin + "\n")
	left := 0
	if len(c.installs) > 0 {
		text.WriteString("| Package | Run cluster | Version |\n|---|---|---|\n")
	}
	for _, i := range c.installs {
		row := fmt.Sprintf("| %s | %s | %s |\n", inCell(i.at.Package), inCell(i.at.RunCluster), i.versions())
		if text.Len()+len(row) > limit {
			left++
			continue
		}
		text.WriteString(row)
	}
	if left > 0 {
		fmt.Fprintf(&text, "\nand %d more packages.\n", left)
	}
	if len(c.others) > 0 {
		fmt.Fprintf(&text, "\n%d other files change as well, such as %s.\n", len(c.others), inCell(c.others[0]))
	}
	hidden := 0
	for _, i := range c.installs {
		part := fmt.Sprintf("\n<details><summary>%s on %s</summary>\n\n%s\n</details>\n", inHTML(i.at.Package), inHTML(i.at.RunCluster), fenced(i.diff))
		if text.Len()+len(part) > limit {
			hidden++
			continue
		}
		text.WriteString(part)
	}
	if hidden > 0 {
		fmt.Fprintf(&text, "\nThe differences of %d packages are too long to be shown here.\n", hidden)
	}
	text.WriteString(changesEnd)
	return text.String()
}

// versions is the cell of the table about the versions.
func (i installChange) versions() string {
	before, after := inCell(i.before), inCell(i.after)
	switch {
	case i.verb == "remove":
		return before + " is removed"
	case i.verb == "add":
		return after + " is new"
	case i.before == i.after:
		return after + ", other values"
	}
	return before + " → " + after
}

// fenced is a text as a block of code that nothing in it ends, and in which the next
// change of the body finds no end of the changes.
func fenced(text string) string {
	text = unmarked(text)
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + "diff\n" + strings.TrimSuffix(text, "\n") + "\n" + fence
}
