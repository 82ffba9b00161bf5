package guides_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider"
)

// mostWords is how long a description may be. What there is to say beyond that is for a
// guide.
const mostWords = 60

// TestDescriptions: what is shown in editors and tables is short.
func TestDescriptions(t *testing.T) {
	server, err := providerserver.NewProtocol6WithError(provider.New("test")())()
	if err != nil {
		t.Fatal(err)
	}
	schemas, err := server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	add := func(kind string, all map[string]*tfprotov6.Schema) {
		for name, schema := range all {
			describe(kind+name, schema.Block.Description, schema.Block.Attributes, found)
		}
	}
	describe("provider", schemas.Provider.Block.Description, schemas.Provider.Block.Attributes, found)
	add("", schemas.ResourceSchemas)
	add("data.", schemas.DataSourceSchemas)
	add("ephemeral.", schemas.EphemeralResourceSchemas)
	add("list.", schemas.ListResourceSchemas)
	for name, action := range schemas.ActionSchemas {
		describe("action."+name, action.Schema.Block.Description, action.Schema.Block.Attributes, found)
	}
	for at, words := range found {
		if words > mostWords {
			t.Errorf("%s has %d words, and may have %d: shorten it, or say it in a guide", at, words, mostWords)
		}
	}
}

// describe counts the words of what is at a place and below.
func describe(at, text string, attributes []*tfprotov6.SchemaAttribute, found map[string]int) {
	found[at] = len(strings.Fields(text))
	for _, a := range attributes {
		below := at + "." + a.Name
		var nested []*tfprotov6.SchemaAttribute
		if a.NestedType != nil {
			nested = a.NestedType.Attributes
		}
		describe(below, a.Description, nested, found)
	}
}
