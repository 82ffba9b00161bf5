package guides_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider"
)

var (
	codeOf     = regexp.MustCompile("`([^`]+)`")
	resourceOf = regexp.MustCompile(`^(secrets|serviceaccounts|serviceaccounts/token|[a-z]+\.(kappctrl\.k14s\.io|packaging\.carvel\.dev))$`)
)

// TestGuide_actionRights: the table of rights names for each action the resources that the
// action's own page does.
func TestGuide_actionRights(t *testing.T) {
	text, err := os.ReadFile(root + "templates/guides/rights.md.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n## Actions\n")
	table, _, _ := strings.Cut(rest, "\n## ")
	if !found {
		t.Fatal("the guide has no section about actions")
	}
	server, err := providerserver.NewProtocol6WithError(provider.New("test")())()
	if err != nil {
		t.Fatal(err)
	}
	schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if len(schemas.ActionSchemas) == 0 {
		t.Fatal("there are no actions")
	}
	for name := range schemas.ActionSchemas {
		var rows []string
		for line := range strings.SplitSeq(table, "\n") {
			if what, _, _ := strings.Cut(strings.TrimPrefix(line, "|"), "|"); strings.Contains(what, "`"+name+"`") {
				rows = append(rows, line)
			}
		}
		if len(rows) == 0 {
			t.Errorf("the guide has no rights of %s", name)
			continue
		}
		said := strings.Join(rows, "\n")
		if strings.Contains(said, "as for `carvel_kubeconfig_secret`") {
			said += "`serviceaccounts` `serviceaccounts/token` `secrets`"
		}
		page, err := os.ReadFile(root + "docs/actions/" + strings.TrimPrefix(name, "carvel_") + ".md")
		if err != nil {
			t.Fatal(err)
		}
		_, rights, _ := strings.Cut(string(page), "\n## Rights\n")
		rights, _, _ = strings.Cut(rights, "\n<!--")
		var needed []string
		for _, match := range codeOf.FindAllStringSubmatch(rights, -1) {
			if resourceOf.MatchString(match[1]) && !slices.Contains(needed, match[1]) {
				needed = append(needed, match[1])
			}
		}
		if len(needed) == 0 {
			t.Errorf("the page of %s names no resource", name)
		}
		for _, resource := range needed {
			if !strings.Contains(said, "`"+resource+"`") {
				t.Errorf("the guide does not say that %s needs a right on %s", name, resource)
			}
		}
	}
}
