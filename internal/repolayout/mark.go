package repolayout

import (
	"encoding/json"
	"fmt"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// Mark is what MarkFile holds: which creation the files belong to, and what they
// were when its resource wrote them last.
type Mark struct {
	carvel.Mark
	// Files are the Git blobs, in hexadecimal digits, by the file's name.
	Files map[string]string `json:"files,omitempty"`
}

// Render is the content of MarkFile.
func (m Mark) Render() ([]byte, error) {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", MarkFile, err)
	}
	return append(text, '\n'), nil
}

// ReadMark reads the mark of files, the zero Mark where they have none. One that
// cannot be read is nobody's.
func ReadMark(files Files) Mark {
	text, ok := files[MarkFile]
	if !ok {
		return Mark{}
	}
	var m Mark
	if err := json.Unmarshal(text, &m); err != nil || m.Creation == "" {
		return Mark{Mark: carvel.Mark{Creation: string(text)}}
	}
	return m
}
