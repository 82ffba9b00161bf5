package runnamespace_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// proxied is a run cluster behind a proxy that counts.
func proxied(t *testing.T) (*delivery.Delivery, *acctest.Proxy, delivery.RunNamespace, context.Context) {
	t.Helper()
	t.Parallel()
	e := acctest.New(t)
	p := e.Proxy(e.Lab.Staging)
	d := delivery.New(delivery.Config{Run: map[string]delivery.Cluster{"staging": cluster.New("staging", "test", cluster.Config{Host: p.URL})}})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	return d, p, delivery.RunNamespace{
		Cluster:          "staging",
		RunNamespaceSpec: carvel.RunNamespaceSpec{Name: e.Name, ServiceAccountName: e.Name + "-sa"},
		ForCluster:       delivery.ForCluster{Manager: cluster.Manager{Name: carvel.ManagedBy}},
	}, ctx
}

// TestAccRequests counts what each verb costs on a cluster: six objects are
// one request each in a namespace just made, and nothing is discovered.
func TestAccRequests(t *testing.T) {
	d, p, s, ctx := proxied(t)
	expect := func(what string, most int) {
		t.Helper()
		if requests := p.Requests(); len(requests) > most {
			t.Errorf("%s took %d requests, want at most %d:\n%s", what, len(requests), most, strings.Join(requests, "\n"))
		}
	}
	created, err := d.Namespaces.Create(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	s.Creation = created.Creation
	expect("create", 6)
	if _, err := d.Namespaces.Read(ctx, s); err != nil {
		t.Fatal(err)
	}
	expect("read", 6)
	if err := d.Namespaces.CheckRights(ctx, s); err != nil {
		t.Fatal(err)
	}
	expect("looking at the rights", 1)
	for range 3 {
		if err := d.Namespaces.CheckInstalls(ctx, "staging", s.Name); err != nil {
			t.Fatal(err)
		}
	}
	expect("looking whether PackageInstalls are served", 1)
	if _, err := d.Namespaces.Update(ctx, s.RunNamespaceSpec, s); err != nil {
		t.Fatal(err)
	}
	expect("update", 12) // each object is read, and written
	if _, err := d.Namespaces.Delete(ctx, s, created.UID); err != nil {
		t.Fatal(err)
	}
	expect("delete", 8)
}

// TestAccPreflight: a cluster without kapp-controller is told from one that
// does not let us look.
func TestAccPreflight(t *testing.T) {
	t.Parallel()
	e := acctest.New(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	token := e.Limited(e.Lab.Staging)
	d := delivery.New(delivery.Config{Run: map[string]delivery.Cluster{
		"without": cluster.New("without", "test", cluster.Config{Host: e.WithoutAPI(e.Lab.Staging, "packaging.carvel.dev")}),
		"limited": cluster.New("limited", "test", cluster.Config{Host: e.Lab.Staging.Server, Token: token, CACertificate: string(e.Lab.Staging.CA)}),
	}})
	var notServed *cluster.NotServedError
	if err := d.Namespaces.CheckInstalls(ctx, "without", e.Name); !errors.As(err, &notServed) {
		t.Errorf("got %v", err)
	}
	if err := d.Namespaces.CheckInstalls(ctx, "limited", e.Name); err != nil {
		t.Error(err)
	}
}

// TestAccRetries: an API server that is overloaded, fails, or cuts connections
// for a while delays the work and does not change its outcome.
func TestAccRetries(t *testing.T) {
	d, p, s, ctx := proxied(t)
	var requests atomic.Int64
	p.Answer(func(w http.ResponseWriter, _ *http.Request) bool {
		switch requests.Add(1) % 4 {
		case 1:
			http.Error(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","code":429}`, http.StatusTooManyRequests)
		case 2:
			http.Error(w, "overloaded", http.StatusServiceUnavailable)
		case 3:
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_ = conn.Close()
			}
		default:
			return false
		}
		return true
	})
	created, err := d.Namespaces.Create(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	s.Creation = created.Creation
	p.Answer(nil)
	read, err := d.Namespaces.Read(ctx, s)
	if err != nil || len(read.Objects) != 6 {
		t.Errorf("%d objects, %v", len(read.Objects), err)
	}
	if _, err := d.Namespaces.Delete(ctx, s, created.UID); err != nil {
		t.Error(err)
	}
}

// TestAccReplacedNamespace: a namespace of the same name that somebody else
// has made in place of ours is not deleted.
func TestAccReplacedNamespace(t *testing.T) {
	d, _, s, ctx := proxied(t)
	created, err := d.Namespaces.Create(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	s.Creation = created.Creation
	if _, err := d.Namespaces.Delete(ctx, s, "another-uid"); err != nil {
		t.Errorf("ours is gone, which is not an error: %v", err)
	}
	if read, err := d.Namespaces.Read(ctx, s); err != nil || read.UID != created.UID {
		t.Errorf("the other namespace was deleted: %v", err)
	}
	if _, err := d.Namespaces.Delete(ctx, s, created.UID); err != nil {
		t.Error(err)
	}
}
