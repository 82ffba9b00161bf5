package carvel

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Deploy is the deploy step.
type Deploy struct {
	Kapp *Kapp `json:"kapp,omitempty"`
}

// Kapp deploys by kapp.
type Kapp struct {
	IntoNs     string       `json:"intoNs,omitempty"`
	MapNs      []string     `json:"mapNs,omitempty"`
	RawOptions []string     `json:"rawOptions,omitempty"`
	Inspect    *KappOptions `json:"inspect,omitempty"` // nil: nothing is inspected
	Delete     *KappOptions `json:"delete,omitempty"`
}

// KappOptions are flags of one of kapp's commands.
type KappOptions struct {
	RawOptions []string `json:"rawOptions,omitempty"`
}

// optionForm is the form that the controller accepts: a flag and its value in
// one text.
var optionForm = regexp.MustCompile(`^--([a-z]+(?:-[a-z]+)*)=.+`)

// The flags that the controller lets through, by the commands that take them.
var (
	sharedOptions = strings.Fields(`
		column debug json tty dangerous-ignore-failing-api-services dangerous-scope-to-fallback-allowed-namespaces
		filter filter-age filter-kind filter-kind-name filter-kind-ns filter-kind-ns-name filter-name filter-ns
		kube-api-qps kube-api-burst`)
	changeOptions = strings.Fields(`
		diff-changes diff-against-last-applied diff-context diff-line-numbers diff-mask diff-run diff-summary
		diff-anchored apply-check-interval apply-concurrency apply-default-update-strategy apply-ignored
		apply-timeout exit-early-on-apply-error wait wait-check-interval wait-concurrency wait-ignored
		wait-timeout exit-early-on-wait-error`)
	deployOptions = strings.Fields(`
		dangerous-allow-empty-list-of-resources existing-non-labeled-resources-check
		existing-non-labeled-resources-check-concurrency dangerous-override-ownership-of-existing-resources
		into-ns map-ns logs logs-all app-changes-max-to-keep labels patch`)
	inspectOptions = strings.Fields(`raw status tree`)
)

// ValidateDeployOption checks an option for kapp deploy.
func ValidateDeployOption(option string) error {
	return validateOption("deploy", option, sharedOptions, changeOptions, deployOptions)
}

// ValidateDeleteOption checks an option for kapp delete.
func ValidateDeleteOption(option string) error {
	return validateOption("delete", option, sharedOptions, changeOptions)
}

// ValidateInspectOption checks an option for kapp inspect.
func ValidateInspectOption(option string) error {
	return validateOption("inspect", option, sharedOptions, inspectOptions)
}

func validateOption(command, option string, allowed ...[]string) error {
	match := optionForm.FindStringSubmatch(option)
	if match == nil {
		return fmt.Errorf("%q does not have the form --flag=value, which is the only one that the controller accepts", option)
	}
	if !slices.ContainsFunc(allowed, func(flags []string) bool { return slices.Contains(flags, match[1]) }) {
		return fmt.Errorf("--%s is not a flag that the controller lets through to kapp %s", match[1], command)
	}
	return nil
}

// ValidateNamespaceMapping checks a renaming of a namespace.
func ValidateNamespaceMapping(mapping string) error {
	from, to, found := strings.Cut(mapping, "=")
	if !found {
		return fmt.Errorf("%q does not have the form FROM=TO", mapping)
	}
	for _, name := range []string{from, to} {
		if err := ValidateName(name); err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
	}
	return nil
}

// RecordNames are the names that the ConfigMap may have in which kapp records
// what an App has deployed.
func RecordNames(app string) []string {
	return []string{RecordName(app), RecordName(app) + ".apps.k14s.io", app + "-ctrl", app + "-ctrl.apps.k14s.io"}
}
