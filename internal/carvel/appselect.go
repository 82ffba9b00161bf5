package carvel

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

// Selected is a file or a directory of a Git repository that an App makes objects of.
type Selected struct {
	Source int    // its place among the App's sources
	Path   string // in the repository, "" for its root
}

// previous stands for what the step before has put out among the paths of a step.
const previous = "-"

// Selected are the files and directories that the App takes from its Git sources, each
// once: those that its steps name, or the sources as a whole.
func (s AppSpec) Selected() []Selected {
	paths := readPaths(s.Template)
	if len(paths) == 0 {
		paths = []string{""}
	}
	var all []Selected
	seen := map[Selected]bool{}
	for _, p := range paths {
		for i, f := range s.Fetch {
			if f.Git == nil {
				continue
			}
			below, ok := within(s.directory(i), CleanSubPath(p))
			one := Selected{Source: i, Path: CleanSubPath(path.Join(f.Git.SubPath, below))}
			if ok && !seen[one] {
				seen[one] = true
				all = append(all, one)
			}
		}
	}
	return all
}

// directory is where the steps find a source. What an only source holds is the root
// itself.
func (s AppSpec) directory(source int) string {
	switch f := s.Fetch[source]; {
	case f.Path != "":
		return CleanSubPath(f.Path)
	case len(s.Fetch) == 1:
		return ""
	default:
		return strconv.Itoa(source)
	}
}

// within is what a path selects of the directory of a source: a part of it, or all of it,
// if the directory is in what the path names.
func within(directory, p string) (below string, ok bool) {
	switch {
	case p == "" || p == directory || strings.HasPrefix(directory, p+"/"):
		return "", true
	case directory == "":
		return p, true
	default:
		return strings.CutPrefix(p, directory+"/")
	}
}

// readPaths are the files and directories that steps read of what was fetched, none if
// it is everything.
func readPaths(template []Template) (paths []string) {
	for i, t := range template {
		if t.Sops != nil {
			continue // changes what the others read
		}
		named := t.paths()
		if named == nil || i == firstReader(template) && len(*named) == 0 {
			return nil
		}
		paths = slices.Concat(paths, *named, t.valuesPaths())
	}
	return slices.DeleteFunc(paths, func(p string) bool { return p == previous })
}

// firstReader is the step that reads what was fetched: the first but for those that
// decrypt it, the number of the steps if there is none. Those after it get what it puts
// out.
func firstReader(template []Template) int {
	at := slices.IndexFunc(template, func(t Template) bool { return t.Sops == nil })
	if at < 0 {
		return len(template)
	}
	return at
}

// paths are those that the step names, nil if it is of a kind that has none.
func (t Template) paths() *[]string {
	switch {
	case t.Ytt != nil:
		return &t.Ytt.Paths
	case t.Kbld != nil:
		return &t.Kbld.Paths
	case t.Cue != nil:
		return &t.Cue.Paths
	case t.Sops != nil:
		return &t.Sops.Paths
	default:
		return nil
	}
}

// valuesPaths are the fetched files that the step takes values from.
func (t Template) valuesPaths() (paths []string) {
	var from []ValuesFrom
	switch {
	case t.Ytt != nil:
		from = t.Ytt.ValuesFrom
	case t.HelmTemplate != nil:
		from = t.HelmTemplate.ValuesFrom
	case t.Cue != nil:
		from = t.Cue.ValuesFrom
	}
	for _, source := range from {
		if source.Path != "" {
			paths = append(paths, source.Path)
		}
	}
	return paths
}

// withPaths is a copy of a step with other paths.
func (t Template) withPaths(paths []string) Template {
	switch {
	case t.Ytt != nil:
		step := *t.Ytt
		step.Paths, t.Ytt = paths, &step
	case t.Kbld != nil:
		step := *t.Kbld
		step.Paths, t.Kbld = paths, &step
	case t.Cue != nil:
		step := *t.Cue
		step.Paths, t.Cue = paths, &step
	case t.Sops != nil:
		step := *t.Sops
		step.Paths, t.Sops = paths, &step
	}
	return t
}

// SelectPaths has the steps read nothing of what was fetched but these paths. If a step
// names paths of its own, or renders a chart, which is a directory as a whole, or CUE,
// which takes such paths for names of modules, ok is false, and unfit is its place.
func SelectPaths(template []Template, paths []string) (selecting []Template, unfit int, ok bool) {
	for i, t := range template {
		named := t.paths()
		reads := i <= firstReader(template)
		switch {
		case named == nil, t.Cue != nil, len(t.valuesPaths()) > 0, reads && len(*named) > 0,
			slices.ContainsFunc(*named, func(p string) bool { return p != previous }):
			return nil, i, false
		case reads:
			t = t.withPaths(paths)
		}
		selecting = append(selecting, t)
	}
	return selecting, 0, true
}

// SelectedPaths is the reverse of SelectPaths: the steps without the paths that the first
// reader has, and those.
func SelectedPaths(template []Template) (rest []Template, paths []string) {
	first := firstReader(template)
	for i, t := range template {
		if i <= first && t.paths() != nil {
			paths = *t.paths()
			t = t.withPaths(nil)
		}
		rest = append(rest, t)
	}
	return rest, paths
}
