package delivery_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
)

const rightsGuide = "../../templates/guides/rights.md.tmpl"

// guideRights are the rights in the tables of a section of the guide, as "CLUSTER VERB
// RESOURCE", and whether each is demanded.
func guideRights(t *testing.T, section string) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for _, cells := range guideRows(t, section) {
		if len(cells) < 5 {
			continue
		}
		for _, resource := range code.FindAllStringSubmatch(cells[1], -1) {
			for _, verb := range code.FindAllStringSubmatch(cells[2], -1) {
				right := cells[0] + " " + verb[1] + " " + resource[1]
				found[right] = found[right] || !strings.HasPrefix(cells[4], "not demanded")
			}
		}
	}
	if len(found) == 0 {
		t.Fatalf("the guide has no rights in the section %q", section)
	}
	return found
}

var code = regexp.MustCompile("`([^`]+)`")

// guideRows are the rows of the tables of a section, without their heads.
func guideRows(t *testing.T, section string) [][]string {
	t.Helper()
	text, err := os.ReadFile(rightsGuide)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n## "+section+"\n")
	if !found {
		t.Fatalf("the guide has no section %q", section)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	var rows [][]string
	for line := range strings.SplitSeq(rest, "\n") {
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	return rows
}

// usedRights are those that calls need, as guideRights has them.
func usedRights(t *testing.T, calls []string) map[string]bool {
	t.Helper()
	verbs := map[string][]string{
		"Get": {"get"}, "List": {"list"}, "ListWhere": {"list"}, "Wait": {"list", "watch"}, "WaitGone": {"list", "watch"}, "WaitNone": {"list", "watch"},
		"Follow": {"list", "watch"}, "Apply": {"create", "patch"}, "ApplyOver": {"patch"}, "ApplyNew": {"create", "patch"}, "TryApply": {"create", "patch"},
		"Edit": {"patch"}, "Delete": {"delete"},
	}
	used := map[string]bool{}
	for _, call := range calls {
		words := strings.Fields(call)
		cluster := map[string]string{"build": "build", "staging": "run"}[words[0]]
		if cluster == "" {
			continue // the repository
		}
		verb, resource := words[1], words[2]
		switch {
		case verb == "Create" && len(words) > 3 && words[3] == "of": // a subresource
			used[cluster+" create "+words[4]+"/"+words[2]] = true
			continue
		case verb == "ListWhere":
			resource = words[3]
		case verb == "Served", strings.HasPrefix(resource, "selfsubject"):
			continue // everybody may ask what they may do
		}
		needed, known := verbs[verb]
		if !known {
			t.Fatalf("the test does not know what %q needs", call)
		}
		for _, v := range needed {
			used[cluster+" "+v+" "+resource] = true
		}
	}
	return used
}

// TestGuide_rights: the guide has each right that a resource uses from its creation to its
// end, and demands none that it does not use.
func TestGuide_rights(t *testing.T) {
	byGuide := map[string][]noun{
		"carvel_run_namespace":     {namespaces(), namespaceOfOthers()},
		"carvel_kubeconfig_secret": {kubeconfigs("of a ServiceAccount"), kubeconfigs("requested"), kubeconfigs("given")},
		"carvel_app":               {apps()},
	}
	for section, nouns := range byGuide {
		t.Run(section, func(t *testing.T) {
			used := map[string]bool{}
			for _, n := range nouns {
				w := &world{deliverytest.NewWorld()}
				lifeOf(t, w, n)
				for right := range usedRights(t, w.Calls.Made()) {
					used[right] = true
				}
			}
			has := guideRights(t, section)
			for right := range used {
				if _, ok := has[right]; !ok {
					t.Errorf("%s is used, and the guide does not have it", right)
				}
			}
			for right, demanded := range has {
				if demanded && !used[right] && !slices.Contains(elsewhere[section], right) {
					t.Errorf("the guide demands %s, which is not used", right)
				}
			}
		})
	}
}

// TestGuide_clusterRole: the ClusterRole of the guide has every right on run clusters that
// is demanded whatever is set, and those to look at what an App delivers.
func TestGuide_clusterRole(t *testing.T) {
	text, err := os.ReadFile(rightsGuide)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	block, _, found := strings.Cut(rest, "```")
	var role struct {
		Rules []struct{ APIGroups, Resources, Verbs []string }
	}
	if err := yaml.Unmarshal([]byte(block), &role); err != nil || !found || len(role.Rules) == 0 {
		t.Fatalf("the guide has no ClusterRole: %v", err)
	}
	granted := map[string]bool{}
	for _, rule := range role.Rules {
		for _, resource := range rule.Resources {
			for _, verb := range rule.Verbs {
				granted[verb+" "+schema.GroupResource{Group: rule.APIGroups[0], Resource: resource}.String()] = true
			}
		}
	}
	for _, section := range []string{"carvel_run_namespace", "carvel_kubeconfig_secret", "carvel_app"} {
		for _, cells := range guideRows(t, section) {
			looks := section == "carvel_app" && strings.Contains(cells[2], "`watch`")
			if cells[0] != "run" || cells[4] != "" && !looks && !strings.HasSuffix(cells[4], "the default") {
				continue
			}
			resource := code.FindStringSubmatch(cells[1])[1]
			for _, verb := range code.FindAllStringSubmatch(cells[2], -1) {
				if !granted[verb[1]+" "+resource] {
					t.Errorf("the ClusterRole lacks %s on %s, which %s needs", verb[1], resource, section)
				}
			}
		}
	}
}

// elsewhere are rights for what the life of a noun has none of: an App that has failed
// when its kubeconfig changes.
var elsewhere = map[string][]string{
	"carvel_kubeconfig_secret": {"build watch apps.kappctrl.k14s.io", "build patch apps.kappctrl.k14s.io"},
}

// namespaceOfOthers is a run namespace in a Namespace that is there.
func namespaceOfOthers() noun {
	spec := func(hold delivery.Hold) delivery.RunNamespace {
		s := delivery.RunNamespace{Cluster: "staging", ForCluster: delivery.ForCluster{Manager: manager, Hold: hold}}
		s.Name, s.ServiceAccountName, s.Existing = "apps", "apps-sa", true
		return s
	}
	return noun{
		"namespace of others",
		func(ctx context.Context, d *delivery.Delivery) (held, error) {
			r, err := d.Namespaces.Create(ctx, spec(delivery.Hold{}))
			return held{creation: r.Creation, uid: r.UID}, err
		},
		func(_ context.Context, _ *delivery.Delivery, h held) (held, error) { return h, nil },
		func(ctx context.Context, d *delivery.Delivery, h held, hold delivery.Hold) error {
			_, err := d.Namespaces.Delete(ctx, spec(hold), h.uid)
			return err
		},
	}
}

func lifeOf(t *testing.T, w *world, n noun) {
	t.Helper()
	ctx := brief(t)
	h, err := n.create(ctx, w.process())
	if err != nil {
		t.Fatal(err)
	}
	changed, err := n.update(ctx, w.process(), h)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.remove(ctx, w.process(), changed, delivery.Hold{Creation: changed.creation}); err != nil {
		t.Fatal(err)
	}
}

// TestGuide_serviceAccount: the guide says what carvel_run_namespace grants.
func TestGuide_serviceAccount(t *testing.T) {
	granted := map[string]bool{}
	add := func(role string, rules []carvel.Rule) {
		for _, rule := range rules {
			for _, group := range rule.Groups {
				for _, resource := range rule.Resources {
					granted[fmt.Sprintf("%s %s %s", role, schema.GroupResource{Group: group, Resource: resource}, strings.Join(rule.Verbs, " "))] = true
				}
			}
		}
	}
	install := carvel.GrantedRules(carvel.RunNamespaceSpec{TanzuApplicationPlatform: true})
	add(carvel.InstallRoleName, install)
	add(carvel.AppRoleName, carvel.GrantedRules(carvel.RunNamespaceSpec{})[len(install):])
	said := map[string]bool{}
	for _, cells := range guideRows(t, "The ServiceAccount")[1:] {
		role, resource := code.FindStringSubmatch(cells[0]), code.FindStringSubmatch(cells[1])
		if role == nil || resource == nil {
			continue
		}
		var verbs []string
		for _, verb := range code.FindAllStringSubmatch(cells[2], -1) {
			verbs = append(verbs, verb[1])
		}
		said[role[1]+" "+resource[1]+" "+strings.Join(verbs, " ")] = true
	}
	for right := range granted {
		if !said[right] {
			t.Errorf("the guide does not say %s", right)
		}
	}
	for right := range said {
		if !granted[right] {
			t.Errorf("the guide says %s, which is not granted", right)
		}
	}
}
