package provider

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitserver"
)

// TestRenamed: a repository that the server redirects from is one warning, which names the new URL, however much is read.
func TestRenamed(t *testing.T) {
	clear(t)
	git, err := gitserver.Start(gitserver.Options{
		Dir: t.TempDir(), Username: "u", Password: "s3cret",
		Intercept: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if rest, former := strings.CutPrefix(r.URL.Path, "/former.git/"); former {
					http.Redirect(w, r, "/gitops.git/"+rest+"?"+r.URL.RawQuery, http.StatusMovedPermanently)
					return
				}
				next.ServeHTTP(w, r)
			})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = git.Close() })
	if err := git.CreateRepository("gitops"); err != nil {
		t.Fatal(err)
	}
	if _, err := git.Seed("gitops", "theirs", map[string]string{"README.md": "theirs"}); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]int{git.URL("former"): 1, git.URL("gitops"): 0} {
		t.Run(url, func(t *testing.T) {
			server := serve(t, attributes{"git": attributes{
				"url": url, "http": attributes{"username": "u", "password": "s3cret", "certificate_authority": git.CertificateAuthority()},
			}})
			schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
			if err != nil {
				t.Fatal(err)
			}
			kind := schemas.DataSourceSchemas["carvel_packages"].ValueType()
			var said []*tfprotov6.Diagnostic
			for range 3 {
				read, err := server.ReadDataSource(t.Context(), &tfprotov6.ReadDataSourceRequest{TypeName: "carvel_packages", Config: pack(t, kind, value(t, kind, attributes{}))})
				if err != nil {
					t.Fatal(err)
				}
				said = append(said, read.Diagnostics...)
			}
			if len(said) != want {
				t.Fatalf("%d diagnostics, want %d: %v", len(said), want, said)
			}
			for _, d := range said {
				if d.Severity != tfprotov6.DiagnosticSeverityWarning || !strings.Contains(d.Detail, git.URL("former")+" redirects to "+git.URL("gitops")+".") || !strings.Contains(d.Detail, "Set git.url") {
					t.Errorf("%s: %s", d.Summary, d.Detail)
				}
			}
		})
	}
}
