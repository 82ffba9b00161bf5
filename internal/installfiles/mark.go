package installfiles

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/slowdigest"
)

// Mark is what repolayout.MarkFile holds: which creation the files belong to, and what
// they were when its resource wrote them last.
type Mark struct {
	carvel.Mark
	// Files are the blobs, in hexadecimal digits, by the file's name.
	Files map[string]string `json:"files,omitempty"`
}

// markOf is the mark of files that a creation writes.
func markOf(files Contents, mine carvel.Mark) Mark {
	m := Mark{Mark: mine, Files: make(map[string]string, len(files))}
	for name, blob := range files.Blobs() {
		m.Files[name] = blob.String()
	}
	return m
}

func (m Mark) render() ([]byte, error) {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, inFile(repolayout.MarkFile, err)
	}
	return append(text, '\n'), nil
}

// ReadMark reads the mark of files, the zero Mark if they have none. One that
// cannot be read is nobody's.
func ReadMark(files Contents) Mark {
	text, ok := files[repolayout.MarkFile]
	if !ok {
		return Mark{}
	}
	var m Mark
	if err := json.Unmarshal(text, &m); err != nil || m.Creation == "" {
		return Mark{Mark: carvel.Mark{Creation: string(text)}}
	}
	return m
}

// Wrote reports whether no file is another than the one that the resource with the mark
// has written.
func (m Mark) Wrote(found Contents) bool {
	for name, blob := range found.Blobs() {
		if written, ok := m.Files[name]; ok && written != blob.String() {
			return false
		}
	}
	return true
}

// Own are the file with the mark, and those that it names.
func (m Mark) Own(found Contents) Contents {
	own := maps.Clone(found)
	maps.DeleteFunc(own, func(name string, _ []byte) bool {
		_, named := m.Files[name]
		return !named && name != repolayout.MarkFile
	})
	return own
}

// Sighting tells files in a directory, and whose they are, from what is there after any
// change. It is shown in a plan, and a file may hold secrets.
func Sighting(dir string, files Contents, theirs carvel.Mark) string {
	var seen []string
	for _, name := range Names {
		if data, ok := files[name]; ok {
			seen = append(seen, name+" ("+slowdigest.Text(dir+"/"+name, data, 12)+")")
		}
	}
	if theirs.Creation != "" {
		seen = append(seen, "of creation "+theirs.Creation)
	}
	return strings.Join(seen, ", ")
}

// First is the name of a file to speak of.
func First(files Contents) string {
	i := slices.IndexFunc(Names, func(name string) bool { _, ok := files[name]; return ok })
	if i < 0 {
		return repolayout.MarkFile
	}
	return Names[i]
}
