package standin

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// kapp is one run of kapp for one App.
type kapp struct {
	cluster *cluster
	target  target
	app     string // the name of kapp's record
	step    kappStep
	options kappOptions
	races   bool // see race
	out     output
	// applying is true once kapp changes or waits for something.
	applying   atomic.Bool
	mu         sync.Mutex
	associated *associatedResources
}

type kappOptions struct {
	allowEmpty, overrideOwnership, noWait bool
	timeout                               time.Duration
}

// output collects what kapp prints. It may be read while kapp runs.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) printf(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	fmt.Fprintf(&o.text, format+"\n", args...)
}

// event prints a line that begins with the time of day, as kapp's progress does.
func (o *output) event(format string, args ...any) {
	o.printf(time.Now().UTC().Format("3:04:05PM")+": "+format, args...)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// newKapp resolves the target and reads the options. No call to the target is made.
func (r *appRun) newKapp(ctx context.Context, step kappStep, rawOptions []string) (*kapp, error) {
	t, err := r.target(ctx)
	if err != nil {
		return nil, err
	}
	options, err := parseKappOptions(rawOptions)
	if err != nil {
		return nil, err
	}
	c, err := newCluster(t.config)
	if err != nil {
		return nil, err
	}
	return &kapp{cluster: c, target: t, app: r.key.name + ".app", step: step, options: options, races: r.c.options.FirstDeployRace}, nil
}

var (
	rawOption = regexp.MustCompile(`^--([a-z]+(?:-[a-z]+)*)=(.+)$`)
	// allowedOptions are those that the controller lets an App pass on to kapp.
	allowedOptions = strings.Fields(`column debug json tty dangerous-ignore-failing-api-services
		dangerous-scope-to-fallback-allowed-namespaces filter filter-age filter-kind filter-kind-name filter-kind-ns
		filter-kind-ns-name filter-name filter-ns kube-api-qps kube-api-burst diff-changes diff-against-last-applied
		diff-context diff-line-numbers diff-mask diff-run diff-summary diff-anchored apply-check-interval
		apply-concurrency apply-default-update-strategy apply-ignored apply-timeout exit-early-on-apply-error wait
		wait-check-interval wait-concurrency wait-ignored wait-timeout exit-early-on-wait-error
		dangerous-allow-empty-list-of-resources existing-non-labeled-resources-check
		existing-non-labeled-resources-check-concurrency dangerous-override-ownership-of-existing-resources into-ns
		map-ns logs logs-all app-changes-max-to-keep labels patch`)
)

// parseKappOptions reads raw options. Those that the stand-in has no use for are
// checked and ignored.
func parseKappOptions(raw []string) (kappOptions, error) {
	options := kappOptions{timeout: 5 * time.Minute}
	for _, option := range raw {
		m := rawOption.FindStringSubmatch(option)
		if m == nil {
			return options, said("Expected flag '%s' to be in '--flag=value' format", option)
		}
		if !slices.Contains(allowedOptions, m[1]) {
			return options, said("Flag '--%s' is not allowed", m[1])
		}
		switch m[1] {
		case "dangerous-allow-empty-list-of-resources":
			options.allowEmpty = m[2] == "true"
		case "dangerous-override-ownership-of-existing-resources":
			options.overrideOwnership = m[2] == "true"
		case "wait":
			options.noWait = m[2] == "false"
		case "apply-timeout", "wait-timeout":
			d, err := time.ParseDuration(m[2])
			if err != nil {
				return options, err
			}
			options.timeout = d
		}
	}
	return options, nil
}

// result is how a run that ended with err ended; its error text goes to stderr.
func (k *kapp) result(what string, err error) result {
	if err == nil {
		return result{stdout: k.out.String()}
	}
	res := failed(what, "kapp: Error: "+err.Error())
	res.stdout = k.out.String()
	return res
}

func (k *kapp) status() *kappStatus {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.associated == nil {
		return nil
	}
	return &kappStatus{*k.associated}
}

// associate records what the App consists of, for the status.
func (k *kapp) associate(rec *record) {
	associated := associatedResources{Label: labelApp + "=" + rec.spec.LabelValue, Namespaces: slices.Clone(rec.spec.namespaces())}
	for _, gk := range rec.spec.UsedGKs {
		associated.GroupKinds = append(associated.GroupKinds, groupKind{gk.Group, gk.Kind})
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.associated = &associated
}

// describe names an object as kapp does.
func describe(u *unstructured.Unstructured) string {
	where := "cluster"
	if u.GetNamespace() != "" {
		where = "namespace: " + u.GetNamespace()
	}
	return fmt.Sprintf("%s/%s (%s) %s", strings.ToLower(u.GetKind()), u.GetName(), u.GetAPIVersion(), where)
}

// place tells the objects of an App apart. The version is no part of it.
type place struct {
	schema.GroupKind
	key
}

func placeOf(u *unstructured.Unstructured) place {
	return place{u.GroupVersionKind().GroupKind(), keyOf(u)}
}

func sortedSet[T comparable](items map[T]bool, compare func(a, b T) int) []T {
	return slices.SortedFunc(maps.Keys(items), compare)
}
