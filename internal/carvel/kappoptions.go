package carvel

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// optionForm is the form that the controller accepts: a flag and its value in
// one text.
var optionForm = regexp.MustCompile(`^--([a-z]+(?:-[a-z]+)*)=.+`)

// deployOptions are the flags that the controller lets through to kapp deploy.
var deployOptions = strings.Fields(`
	apply-check-interval apply-concurrency apply-default-update-strategy apply-ignored apply-timeout
	app-changes-max-to-keep column dangerous-allow-empty-list-of-resources
	dangerous-ignore-failing-api-services dangerous-override-ownership-of-existing-resources
	dangerous-scope-to-fallback-allowed-namespaces debug diff-against-last-applied diff-anchored
	diff-changes diff-context diff-line-numbers diff-mask diff-run diff-summary
	existing-non-labeled-resources-check existing-non-labeled-resources-check-concurrency
	exit-early-on-apply-error exit-early-on-wait-error filter filter-age filter-kind filter-kind-name
	filter-kind-ns filter-kind-ns-name filter-name filter-ns into-ns json kube-api-burst kube-api-qps
	labels logs logs-all map-ns patch tty wait wait-check-interval wait-concurrency wait-ignored
	wait-timeout`)

// ValidateDeployOption checks an option for kapp deploy.
func ValidateDeployOption(option string) error {
	match := optionForm.FindStringSubmatch(option)
	if match == nil {
		return fmt.Errorf("%q does not have the form --flag=value, which is the only one that the controller accepts", option)
	}
	if !slices.Contains(deployOptions, match[1]) {
		return fmt.Errorf("--%s is not a flag that the controller lets through to kapp deploy", match[1])
	}
	return nil
}

// ValidateGitRef checks a ref that an App fetches.
func ValidateGitRef(ref string) error {
	switch {
	case ref == "":
		return fmt.Errorf("the ref is empty: write origin/main for a branch, or the name of a tag")
	case ref == "HEAD", strings.HasPrefix(ref, "refs/"):
		return fmt.Errorf("the controller cannot fetch %q: write origin/main for a branch, or the name of a tag", ref)
	case strings.HasPrefix(ref, "-"), strings.ContainsAny(ref, " \t\n~^:?*[\\"):
		return fmt.Errorf("%q is not a branch, a tag or a commit", ref)
	}
	return nil
}

// ValidateSubPath checks a directory of a repository.
func ValidateSubPath(subPath string) error {
	if slices.Contains(strings.Split(subPath, "/"), "..") {
		return fmt.Errorf("%q leaves the repository", subPath)
	}
	return nil
}
