package interrupted_test

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// expected is where something is in a world at a stage, from the resources'
// documentation.
func (w *world) expected(at stage) snapshot {
	keys := snapshot{}
	add := func(keep ...string) {
		for _, key := range keep {
			keys[key] = item{}
		}
	}
	for i, id := range w.ids() {
		dir := "file p" + id + ".NAME.acc.test/"
		add(dir + "packages/1.0.0.yaml")
		if at == absent {
			continue
		}
		params := "/params.yaml"
		if !w.deliveries && i%10 == 7 {
			params = "/params.sops.yaml"
		}
		add(dir+cluster(id)+"/packageinstall.yaml", dir+cluster(id)+params)
		if !w.deliveries {
			continue
		}
		add("build App NAME/app-"+id, "build Secret NAME/kubeconfig-"+id, cluster(id)+" Namespace NAME-"+id, cluster(id)+" token Secret NAME-"+id+" 1")
		for _, of := range []string{
			"ServiceAccount NAME-@/NAME-@-sa", "Role NAME-@/app-cr-role", "RoleBinding NAME-@/app-cr-role",
			"Role NAME-@/app-package-and-pkgi-install-role", "RoleBinding NAME-@/app-package-and-pkgi-install-role",
			// What the App has deployed, and what that has deployed in turn.
			"ConfigMap NAME-@/app-@.app", "Package NAME-@/p@.NAME.acc.test.1.0.0", "PackageInstall NAME-@/p@", "Secret NAME-@/p@-values",
			"App NAME-@/p@", "ConfigMap NAME-@/p@.app", "ConfigMap NAME-@/workload",
		} {
			add(cluster(id) + " " + strings.ReplaceAll(of, "@", id))
		}
	}
	return keys
}

// unlike says how the snapshot of an undisturbed run is not what it should be.
func (w *world) unlike(at stage, s snapshot) []string {
	places := snapshot{}
	for key := range s {
		places[key] = item{}
	}
	wrong := differences(w.expected(at), places)
	if at == absent {
		return wrong
	}
	for key, i := range s {
		holds := strings.HasSuffix(key, "/workload") || strings.HasSuffix(key, "-values") || strings.Contains(key, "/params.")
		if holds && !strings.Contains(i.text, values[at]) {
			wrong = append(wrong, fmt.Sprintf("%s does not hold %q:\n%s", key, values[at], i.text))
		}
	}
	return wrong
}

// wrong is what is not as it should be in a world that was brought to a stage.
func (w *world) wrong(at stage, want snapshot, settling time.Duration) []string {
	wrong := eventually(settling, func() []string {
		got := w.look()
		return append(differences(want, got), w.wrongTokens()...)
	})
	if err := w.Repository().Fsck(); err != nil {
		wrong = append(wrong, err.Error())
	}
	wrong = append(wrong, w.wrongState(at)...)
	return append(wrong, w.wrongDirectory()...)
}

// wrongState: the state holds each resource of the fixture and no other.
func (w *world) wrongState(at stage) []string {
	state, err := w.state()
	if err != nil {
		return []string{err.Error()}
	}
	want := map[string]kept{}
	if at != absent {
		for _, id := range w.ids() {
			for _, address := range w.addresses(id) {
				want[address] = kept{}
			}
		}
	}
	var wrong []string
	for address := range want {
		if r, ok := state[address]; !ok || r.tainted {
			wrong = append(wrong, "missing in the state, or tainted: "+address)
		}
	}
	for address := range state {
		if _, ok := want[address]; !ok {
			wrong = append(wrong, "still in the state: "+address)
		}
	}
	slices.Sort(wrong)
	return wrong
}

// addresses are the resources with the package of this number. A set is counted at its
// first one.
func (w *world) addresses(id string) []string {
	if w.fixture == "sets" {
		if id != "00" && id != "01" {
			return nil
		}
		return []string{fmt.Sprintf("carvel_package_installs.test[%q]", id)}
	}
	types := []string{"carvel_package_install"}
	if w.deliveries {
		types = append(types, "carvel_run_namespace", "carvel_kubeconfig_secret", "carvel_app")
	}
	for i := range types {
		types[i] += fmt.Sprintf(".test[%q]", id)
	}
	return types
}

// wrongDirectory: Terraform has released its lock, and no process is left.
func (w *world) wrongDirectory() []string {
	var wrong []string
	locks, err := filepath.Glob(w.program.Path(".*.lock.info"))
	if err != nil {
		w.T.Fatal(err)
	}
	for _, lock := range locks {
		wrong = append(wrong, "a lock is left: "+filepath.Base(lock))
	}
	for _, p := range w.program.Processes() {
		wrong = append(wrong, fmt.Sprintf("process %d is left (the provider: %v)", p.PID, p.Provider))
	}
	return wrong
}

// wrongTokens: each kubeconfig Secret holds the token of the one token Secret
// that is there for it.
func (w *world) wrongTokens() []string {
	if !w.deliveries {
		return nil
	}
	var wrong []string
	list, err := w.Build(carvel.Secrets, w.Name).List(w.T.Context(), metav1.ListOptions{})
	if err != nil {
		w.T.Fatal(err)
	}
	for i := range list.Items {
		id, ok := strings.CutPrefix(list.Items[i].GetName(), "kubeconfig-")
		if !ok {
			continue
		}
		run := w.Staging
		if cluster(id) == "prod" {
			run = w.Prod
		}
		secrets, err := run(carvel.Secrets, w.Name+"-"+id).List(w.T.Context(), metav1.ListOptions{})
		if err != nil {
			w.T.Fatal(err)
		}
		secrets.Items = slices.DeleteFunc(secrets.Items, func(obj unstructured.Unstructured) bool { return !isToken(&obj) })
		if len(secrets.Items) != 1 {
			wrong = append(wrong, fmt.Sprintf("%d token Secrets for %s, want 1", len(secrets.Items), list.Items[i].GetName()))
			continue
		}
		token, kubeconfig := secretValue(&secrets.Items[0], "token"), secretValue(&list.Items[i], carvel.DefaultKubeconfigKey)
		if token == "" || !strings.Contains(kubeconfig, token) {
			wrong = append(wrong, list.Items[i].GetName()+" does not hold the token that is on the run cluster")
		}
	}
	return wrong
}

func secretValue(secret *unstructured.Unstructured, key string) string {
	value, _, _ := unstructured.NestedString(secret.Object, "data", key)
	plain, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return ""
	}
	return string(plain)
}

// primary is what there is in a snapshot if a resource is in the state.
func primary(address string) string {
	kind, rest, _ := strings.Cut(address, ".")
	_, id, _ := strings.Cut(rest, `["`)
	id = strings.TrimSuffix(id, `"]`)
	return map[string]string{
		"carvel_package_installs":  "file p" + id + ".NAME.acc.test/" + cluster(id) + "/packageinstall.yaml",
		"carvel_package_install":   "file p" + id + ".NAME.acc.test/" + cluster(id) + "/packageinstall.yaml",
		"carvel_run_namespace":     cluster(id) + " Namespace NAME-" + id,
		"carvel_kubeconfig_secret": "build Secret NAME/kubeconfig-" + id,
		"carvel_app":               "build App NAME/app-" + id,
	}[kind]
}

var completed = regexp.MustCompile(`(carvel_\w+\.test\["\d+"\]): (Creation|Modifications|Destruction) complete`)

// complete are the resources that terraform's output says are made or changed,
// or else deleted.
func complete(out string) (there, gone []string) {
	for _, match := range completed.FindAllStringSubmatch(out, -1) {
		if match[2] == "Destruction" {
			gone = append(gone, match[1])
		} else {
			there = append(there, match[1])
		}
	}
	return there, gone
}

// disagreements: of a terraform that has ended by itself, output, state and
// world say the same.
func disagreements(out string, state map[string]kept, now snapshot, addresses []string) []string {
	var wrong []string
	there, gone := complete(out)
	for _, address := range there {
		r, ok := state[address]
		switch {
		case !ok:
			wrong = append(wrong, "complete, and not in the state: "+address)
		case r.tainted:
			wrong = append(wrong, "complete, and tainted: "+address)
		case !now.has(primary(address)):
			wrong = append(wrong, "complete, and not there: "+address)
		}
	}
	for _, address := range gone {
		if _, ok := state[address]; ok {
			wrong = append(wrong, "deleted, and still in the state: "+address)
		}
		if now.has(primary(address)) {
			wrong = append(wrong, "deleted, and still there: "+address)
		}
	}
	for _, address := range addresses {
		r, kept := state[address]
		switch there := now.has(primary(address)); {
		case kept && !there && !r.tainted:
			wrong = append(wrong, "in the state, and not there: "+address)
		case there && !kept:
			wrong = append(wrong, "there, and not in the state: "+address)
		case there && r.tainted && !r.incomplete:
			wrong = append(wrong, "there, and tainted, so that the next apply makes it anew: "+address)
		}
	}
	return wrong
}
