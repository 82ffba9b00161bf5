package gitops

import (
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/gitops/internal/odb"
)

// splitPath checks a path and returns its segments. The path is relative, with slashes; the root is the empty path if root is true.
func splitPath(path string, root bool) ([]string, error) {
	if path == "" {
		if root {
			return nil, nil
		}
		return nil, &PathError{Path: path, Reason: "is empty"}
	}
	segments := strings.Split(path, "/")
	for _, segment := range segments {
		if segment == "" {
			return nil, &PathError{Path: path, Reason: "is not relative, or has an empty segment"}
		}
		if reason := refusedName(segment); reason != "" {
			return nil, &PathError{Path: path, Reason: "has the segment " + quoted(segment) + ", which " + reason}
		}
	}
	return segments, nil
}

// checkEdits checks the paths of one change, by themselves and against each other.
func checkEdits(edits []Edit) error {
	seen := make(map[string]bool, len(edits))
	for _, edit := range edits {
		if _, err := splitPath(edit.Path, false); err != nil {
			return err
		}
		if len(edit.Data) > odb.MaxFileBytes { // could not be read again
			return odb.FileTooLarge(edit.Path)
		}
		if seen[edit.Path] {
			return &PathError{Path: edit.Path, Reason: "is edited twice in one change"}
		}
		seen[edit.Path] = true
	}
	for path := range seen {
		for parent := path; ; {
			slash := strings.LastIndexByte(parent, '/')
			if slash < 0 {
				break
			}
			if parent = parent[:slash]; seen[parent] {
				return &PathError{Path: parent, Reason: "is edited as a file and as a directory in one change"}
			}
		}
	}
	return nil
}
