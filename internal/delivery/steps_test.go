package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery/deliverytest"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
)

// world is what one configuration reaches, in memory.
type world struct{ *deliverytest.World }

// process is another run of Terraform with the same configuration.
func (w *world) process() *delivery.Delivery {
	return delivery.New(delivery.Config{
		Build: w.Build, Run: map[string]delivery.Cluster{"staging": w.Run}, Repository: w.Repository,
		Location: delivery.Location{URL: "https://git.example.com/r.git", Branch: "main"}, Owner: "me",
	})
}

// held is what a state records of a resource.
type held struct {
	creation string
	uid      types.UID
	token    string
	files    installfiles.Blobs
}

// noun is one of the things that there are use cases about. changed tells of its two
// forms.
type noun struct {
	name   string
	create func(context.Context, *delivery.Delivery) (held, error)
	update func(context.Context, *delivery.Delivery, held) (held, error)
	remove func(context.Context, *delivery.Delivery, held, delivery.Hold) error
}

var manager = cluster.Manager{Name: carvel.ManagedBy}

func nouns() []noun {
	return []noun{namespaces(), kubeconfigs("of a ServiceAccount"), kubeconfigs("requested"), kubeconfigs("given"), apps(), installs(nil), installs([]string{recipient})}
}

const recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"

func namespaces() noun {
	spec := func(changed bool, hold delivery.Hold) delivery.RunNamespace {
		s := delivery.RunNamespace{Cluster: "staging", ForCluster: delivery.ForCluster{Manager: manager, Hold: hold}}
		s.Name, s.ServiceAccountName = "team", "team-sa"
		if changed {
			s.Labels = map[string]string{"a": "b"}
			s.AdditionalRules = []carvel.Rule{{Groups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get"}}}
			s.Restricted = true
		}
		return s
	}
	return noun{
		"namespace",
		func(ctx context.Context, d *delivery.Delivery) (held, error) {
			r, err := d.Namespaces.Create(ctx, spec(false, delivery.Hold{}))
			return held{creation: r.Creation, uid: r.UID}, err
		},
		func(ctx context.Context, d *delivery.Delivery, h held) (held, error) {
			r, err := d.Namespaces.Update(ctx, spec(false, delivery.Hold{}).RunNamespaceSpec, spec(true, delivery.Hold{Creation: h.creation}))
			return held{creation: r.Creation, uid: r.UID}, err
		},
		func(ctx context.Context, d *delivery.Delivery, h held, hold delivery.Hold) error {
			_, err := d.Namespaces.Delete(ctx, spec(true, hold), h.uid)
			return err
		},
	}
}

const given = `{apiVersion: v1, kind: Config, current-context: c, clusters: [{name: c, cluster: {server: "https://c.example.com"}}], users: [{name: c, user: {token: t}}], contexts: [{name: c, context: {cluster: c, user: c}}]}`

func kubeconfigs(source string) noun {
	spec := func(changed bool, h held, hold delivery.Hold) delivery.KubeconfigSecret {
		s := delivery.KubeconfigSecret{RunCluster: "staging", TokenSecret: h.token, ForCluster: delivery.ForCluster{Manager: manager, Hold: hold}}
		s.Namespace, s.Name, s.Key = "dev", "staging-kubeconfig", "value"
		switch source {
		case "given":
			s.Kubeconfig = []byte(given)
		case "requested":
			s.ServiceAccount = &delivery.ServiceAccount{Namespace: "apps", Name: "sa", TokenSeconds: 3600}
		default:
			s.ServiceAccount = &delivery.ServiceAccount{Namespace: "apps", Name: "sa"}
		}
		if changed {
			s.Labels = map[string]string{"a": "b"}
		}
		return s
	}
	return noun{
		"kubeconfig " + source,
		func(ctx context.Context, d *delivery.Delivery) (held, error) {
			r, err := d.Kubeconfigs.Create(ctx, spec(false, held{}, delivery.Hold{}))
			return held{creation: r.Creation, uid: r.UID, token: r.TokenSecret}, err
		},
		func(ctx context.Context, d *delivery.Delivery, h held) (held, error) {
			hold := delivery.Hold{Creation: h.creation}
			r, err := d.Kubeconfigs.Update(ctx, spec(false, h, hold), spec(true, h, hold))
			return held{creation: r.Creation, uid: r.UID, token: r.TokenSecret}, err
		},
		func(ctx context.Context, d *delivery.Delivery, h held, hold delivery.Hold) error {
			_, err := d.Kubeconfigs.Delete(ctx, spec(true, h, hold), h.uid)
			return err
		},
	}
}

func apps() noun {
	spec := func(changed bool, hold delivery.Hold) delivery.App {
		a := delivery.App{Wait: true, Kick: true, ForCluster: delivery.ForCluster{Manager: manager, Hold: hold}}
		a.Namespace, a.Name, a.ServiceAccountName = "dev", "app", "sa"
		a.Fetch = []carvel.Fetch{{Inline: &carvel.Inline{Paths: map[string]string{"a.yaml": "a: 1"}}}}
		a.Template = []carvel.Template{{Ytt: &carvel.Ytt{}}}
		a.Deploy = []carvel.Deploy{{Kapp: &carvel.Kapp{}}}
		a.Secrets = []delivery.AppSecret{{Name: "app-git", Data: map[string][]byte{"password": []byte("one")}}}
		if changed {
			a.SyncPeriod = "1m0s"
			a.Secrets = []delivery.AppSecret{{Name: "app-sops-age", Data: map[string][]byte{"key.txt": []byte("two")}}}
		}
		return a
	}
	return noun{
		"app",
		func(ctx context.Context, d *delivery.Delivery) (held, error) {
			r, err := d.Apps.Create(ctx, spec(false, delivery.Hold{}))
			return held{creation: r.Creation, uid: r.UID}, err
		},
		func(ctx context.Context, d *delivery.Delivery, h held) (held, error) {
			hold := delivery.Hold{Creation: h.creation}
			a := spec(true, hold)
			a.UID = h.uid
			r, err := d.Apps.Update(ctx, spec(false, hold), a)
			return held{creation: r.Creation, uid: r.UID}, err
		},
		func(ctx context.Context, d *delivery.Delivery, h held, hold delivery.Hold) error {
			a := spec(true, hold)
			a.Secrets = append(a.Secrets, spec(false, hold).Secrets...) // whichever there are
			_, err := d.Apps.Delete(ctx, a, h.uid)
			return err
		},
	}
}

func installs(recipients []string) noun {
	spec := func(changed bool, hold delivery.Hold) delivery.PackageInstall {
		p := delivery.PackageInstall{RunCluster: "staging", Hold: hold}
		p.Install.Name, p.Install.PackageRef.RefName = "app", "app.default.tap"
		p.ValuesSecretName, p.Values, p.Recipients = "app-values", map[string]any{"a": "1"}, recipients
		if changed {
			p.Values, p.Overlays = map[string]any{"a": "2"}, map[string]string{"o.yaml": "#@ x"}
		}
		return p
	}
	return noun{
		fmt.Sprintf("install for %d recipients", len(recipients)),
		func(ctx context.Context, d *delivery.Delivery) (held, error) {
			r, err := d.Installs.Create(ctx, spec(false, delivery.Hold{}))
			return held{creation: r.Creation, files: r.Blobs}, err
		},
		func(ctx context.Context, d *delivery.Delivery, h held) (held, error) {
			now, err := d.Installs.Blobs(ctx, spec(true, delivery.Hold{}).At()) // as a plan has seen them
			if err != nil {
				return held{}, err
			}
			r, err := d.Installs.Update(ctx, spec(true, delivery.Hold{Creation: h.creation}), installfiles.Before{Blobs: now})
			return held{creation: r.Creation, files: r.Blobs}, err
		},
		func(ctx context.Context, d *delivery.Delivery, h held, hold delivery.Hold) error {
			at := spec(true, hold).At()
			now, err := d.Installs.Blobs(ctx, at)
			if err != nil {
				return err
			}
			_, err = d.Installs.Delete(ctx, at, now, hold)
			return err
		},
	}
}

func brief(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// steps runs an act once undisturbed, and then once for each of its calls, which fails or
// whose answer is lost, each time in a world of its own.
func steps(t *testing.T, before func(*world) held, act func(*world, held) (held, error), mended func(w *world, was, now held, err error)) (want map[string]string) {
	t.Helper()
	w := &world{deliverytest.NewWorld()}
	h := before(w)
	w.Calls.Forget()
	if _, err := act(w, h); err != nil {
		t.Fatal(err)
	}
	n := len(w.Calls.Made())
	want = w.Snapshot()
	if n == 0 {
		t.Fatal("no call was made")
	}
	for i := 1; i <= n; i++ {
		for _, way := range []deliverytest.Way{deliverytest.Failing, deliverytest.Losing} {
			w := &world{deliverytest.NewWorld()}
			h := before(w)
			w.Calls.Break(i, way)
			now, err := act(w, h)
			w.Calls.Mend()
			made := w.Calls.Made()
			what := fmt.Sprintf("call %d of %d %s: %s", i, n, way, made[i-1])
			if err != nil && !errors.Is(err, deliverytest.ErrFault) {
				t.Errorf("%s: another error: %v", what, err)
			}
			if way == deliverytest.Failing && err != nil {
				for _, creation := range w.Creations() {
					if creation != now.creation && creation != h.creation {
						t.Errorf("%s: what there is bears %s, and the receipt says %q", what, creation, now.creation)
					}
				}
			}
			mended(w, h, now, err)
			if got := w.Snapshot(); !maps.Equal(got, want) {
				t.Errorf("%s: afterwards there is\n%s\n%s", what, deliverytest.Differences(want, got), strings.Join(made, "\n"))
			}
		}
	}
	return want
}

// TestCreate_eachStep: whichever call of a create fails, the receipt tells what was made,
// and the next run goes on with it, as Terraform has it: it deletes what the failed create
// has recorded, and creates anew.
func TestCreate_eachStep(t *testing.T) {
	for _, n := range nouns() {
		t.Run(n.name, func(t *testing.T) {
			t.Parallel()
			ctx := brief(t)
			steps(t, func(*world) held { return held{} },
				func(w *world, _ held) (held, error) { return n.create(ctx, w.process()) },
				func(w *world, _, now held, err error) {
					if err == nil {
						return
					}
					next := w.process()
					if now.creation != "" {
						if err := n.remove(ctx, next, now, delivery.Hold{Creation: now.creation, Incomplete: true, Retried: true}); err != nil {
							t.Errorf("the delete of a failed create: %v", err)
						}
					}
					if _, err := n.create(ctx, next); err != nil {
						t.Errorf("the next create: %v", err)
					}
				})
		})
	}
}

// TestUpdate_eachStep: whichever call of an update fails, the next one brings all to
// if an undisturbed one would have.
func TestUpdate_eachStep(t *testing.T) {
	for _, n := range nouns() {
		t.Run(n.name, func(t *testing.T) {
			t.Parallel()
			ctx := brief(t)
			steps(t, func(w *world) held {
				h, err := n.create(ctx, w.process())
				if err != nil {
					t.Fatal(err)
				}
				return h
			}, func(w *world, h held) (held, error) { return n.update(ctx, w.process(), h) },
				func(w *world, was, now held, err error) {
					if err == nil {
						return
					}
					if now.creation == "" {
						now = was // the state stays as it was
					}
					if _, err := n.update(ctx, w.process(), now); err != nil {
						t.Errorf("the next update: %v", err)
					}
				})
		})
	}
}

// TestDelete_eachStep: whichever call of a delete fails, the next one leaves nothing.
func TestDelete_eachStep(t *testing.T) {
	for _, n := range nouns() {
		t.Run(n.name, func(t *testing.T) {
			t.Parallel()
			ctx := brief(t)
			left := steps(t, func(w *world) held {
				h, err := n.create(ctx, w.process())
				if err == nil {
					h, err = n.update(ctx, w.process(), h)
				}
				if err != nil {
					t.Fatal(err)
				}
				return h
			}, func(w *world, h held) (held, error) {
				return h, n.remove(ctx, w.process(), h, delivery.Hold{Creation: h.creation})
			}, func(w *world, was, _ held, err error) {
				if err == nil {
					return
				}
				if err := n.remove(ctx, w.process(), was, delivery.Hold{Creation: was.creation}); err != nil {
					t.Errorf("the next delete: %v", err)
				}
			})
			for name := range left {
				if strings.Contains(name, "team") || strings.Contains(name, "kubeconfig") || strings.Contains(name, "app-git") || strings.HasSuffix(name, ".yaml") {
					t.Errorf("%s is left", name)
				}
			}
		})
	}
}
