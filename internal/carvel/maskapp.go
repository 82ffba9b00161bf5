package carvel

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/giturl"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/slowdigest"
)

// Masked stands for a value that is not shown.
const Masked = "(sensitive value)"

// MaskApp is an App as a plan and a state may show it: a digest in place of the
// content of each inline file and of the user information in a URL, so that a
// change shows and the content does not. An object of another kind is returned
// as it is.
func MaskApp(object map[string]any) map[string]any {
	if object["kind"] != "App" {
		return object
	}
	masked := runtime.DeepCopyJSON(object)
	spec, _ := masked["spec"].(map[string]any)
	metadata, _ := masked["metadata"].(map[string]any)
	namespace, _ := metadata["namespace"].(string)
	name, _ := metadata["name"].(string)
	m := appMask{salt: namespace + "/" + name}
	for _, source := range elements(spec["fetch"]) {
		m.inline(source)
		for _, kind := range []string{"git", "http", "helmChart"} {
			at, _ := source[kind].(map[string]any)
			m.url(at)
			if repository, ok := at["repository"].(map[string]any); ok {
				m.url(repository)
			}
		}
	}
	for _, step := range elements(spec["template"]) {
		ytt, _ := step["ytt"].(map[string]any)
		m.inline(ytt)
	}
	return masked
}

// elements are those of a list that are maps.
func elements(list any) []map[string]any {
	all, _ := list.([]any)
	var maps []map[string]any
	for _, element := range all {
		if m, ok := element.(map[string]any); ok {
			maps = append(maps, m)
		}
	}
	return maps
}

type appMask struct{ salt string }

// inline masks the files of a source or a step that has any. What is no map of
// texts is masked whole.
func (m appMask) inline(holder map[string]any) {
	inline, _ := holder["inline"].(map[string]any)
	paths, there := inline["paths"]
	if !there {
		return
	}
	files, ok := paths.(map[string]any)
	if !ok {
		inline["paths"] = Masked
		return
	}
	for path, content := range files {
		text, ok := content.(string)
		if !ok {
			files[path] = Masked
			continue
		}
		files[path] = m.text("inline "+path, text)
	}
}

func (m appMask) url(holder map[string]any) {
	url, _ := holder["url"].(string)
	public := giturl.Public(url)
	if public == url {
		return
	}
	scheme, rest, _ := strings.Cut(public, "://")
	holder["url"] = scheme + "://" + m.text("user of "+public, url) + "@" + rest
}

// text stands for a text. What it is of salts the digest, so that nobody can try
// a guess at many of them at once.
func (m appMask) text(what, text string) string {
	return "(sensitive value, digest " + slowdigest.Text(m.salt+" "+what, []byte(text), 10) + ")"
}
