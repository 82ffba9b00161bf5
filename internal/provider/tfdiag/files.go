package tfdiag

import (
	"errors"
	"fmt"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

// explainFiles is about what stands in the repository in the place of a package
// install's files, or beside them.
func explainFiles(err error) (explanation, bool) {
	var link *delivery.SymlinkError
	var other *delivery.OtherFileError
	var documents *delivery.OtherDocumentsError
	switch {
	case errors.As(err, &link):
		return explanation{
			whole: true,
			what: fmt.Sprintf("%s on branch %s is a symbolic link. The provider follows none: what it commits behind one would be in another directory than the plan shows, and be deployed twice.",
				link.Path, link.Branch) + lookedFor(link),
			advice: "Commit the directory itself in the place of the link.",
		}, true
	case errors.As(err, &other):
		return explainOtherFile(other), true
	case errors.As(err, &documents):
		return explanation{
			whole:  true,
			what:   fmt.Sprintf("The files in %s on branch %s have more in them than the package install, and it would get lost with what is to be written:\n%s", documents.Dir, documents.Branch, List(documents.Documents)),
			advice: OthersAdvice,
		}, true
	}
	return explanation{}, false
}

// OthersAdvice is what to do about documents of others in the files of a package install.
const OthersAdvice = "Nothing was written. Move them into a file of their own, which may be in the same directory, commit that, and plan again."

// List has a document a line.
func List(documents []installfiles.Document) string {
	lines := make([]string, len(documents))
	for i, d := range documents {
		lines[i] = d.String()
	}
	return strings.Join(lines, "\n")
}

func lookedFor(link *delivery.SymlinkError) string {
	if link.For == link.Path {
		return ""
	}
	return " " + link.For + " was looked for behind it."
}

func explainOtherFile(other *delivery.OtherFileError) explanation {
	what := fmt.Sprintf("%s on branch %s has in line %d the %s %q, which is what this package install would be. An App that fetches the directory would find it twice, and fail.",
		other.File, other.Branch, other.Line, other.Kind, other.Name)
	if other.Only {
		what = fmt.Sprintf("There is no %s on branch %s, but %s has in line %d the %s %q.", other.Is, other.Branch, other.File, other.Line, other.Kind, other.Name)
	}
	return explanation{
		whole: true,
		what:  what,
		advice: fmt.Sprintf("To take it over, move the PackageInstall into %s and the Secret with its values, if it has one, into %s beside it, commit that, "+
			"and import %s/%s, or set adopt_existing = true. Otherwise delete it from %s.",
			repolayout.PackageInstallFile, repolayout.ParamsFile, other.At.Package, other.At.RunCluster, other.File),
	}
}
