package redacted_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-log/tflogtest"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/packed"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/redacted"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/redact"
)

const secret = "canary/0123456789+abcdef="

// echoed is what a server says that gives back what it was sent.
func echoed(secret string) string {
	return strings.Join([]string{
		"token " + secret, "you sent Basic " + base64.StdEncoding.EncodeToString([]byte("ci:"+secret)) + " that is ci:" + secret,
		"https://host/?t=" + url.QueryEscape(secret), "/p/" + url.PathEscape(secret), fmt.Sprintf("%q", secret),
	}, "\n")
}

// shown is all that an answer of the protocol says.
func shown(t *testing.T, answer any, err error) string {
	t.Helper()
	text, jsonErr := json.Marshal(answer)
	if jsonErr != nil {
		t.Fatal(jsonErr)
	}
	return fmt.Sprint(string(text), err)
}

func absent(t *testing.T, where, text, secret string) {
	t.Helper()
	for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), base64.StdEncoding.EncodeToString([]byte("ci:" + secret))[8:20]} {
		if strings.Contains(text, form) {
			t.Errorf("%s shows %q: %s", where, form, text)
		}
	}
}

// TestEveryCall: there is no call of the protocol whose answer goes past the
// Redactor.
func TestEveryCall(t *testing.T) {
	server := reflect.ValueOf(redacted.Before(echo{text: echoed(secret) + "\x1b[31m"}, secret))
	calls := reflect.TypeFor[packed.ProviderServer]()
	for call := range calls.Methods() {
		request := reflect.New(call.Type.In(1).Elem())
		answer := server.MethodByName(call.Name).Call([]reflect.Value{reflect.ValueOf(t.Context()), request})
		err, _ := reflect.TypeAssert[error](answer[1])
		for _, said := range answers(answer[0].Interface()) {
			text := shown(t, said, err)
			absent(t, call.Name, text, secret)
			if !strings.Contains(text, redact.Mark) || !strings.Contains(text, `\\x1b[31m`) {
				t.Errorf("%s says nothing of what was said: %s", call.Name, text)
			}
		}
	}
}

// answers are what an answer consists of: of a stream all that comes.
func answers(answer any) (all []any) {
	switch stream := answer.(type) {
	case *tfprotov6.ListResourceServerStream:
		for result := range stream.Results {
			all = append(all, result)
		}
	case *tfprotov6.InvokeActionServerStream:
		for event := range stream.Events {
			all = append(all, event)
		}
	default:
		return []any{answer}
	}
	return all
}

func TestCut(t *testing.T) {
	server := redacted.Before(echo{text: strings.Repeat("x", 3*redacted.MaxText)})
	answer, _ := server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{})
	if detail := answer.Diagnostics[0].Detail; len(detail) > redacted.MaxText+100 || !strings.Contains(detail, "x ...") {
		t.Errorf("a detail of %d bytes", len(detail))
	}
}

// found is an attribute that a schema has as sensitive or write-only.
type found struct {
	path string
	in   []step // from the outermost attribute
}

type step struct {
	name    string
	nesting tfprotov6.SchemaObjectNestingMode
}

func secretAttributes(attributes []*tfprotov6.SchemaAttribute, above found) []found {
	var all []found
	for _, a := range attributes {
		here := found{path: strings.TrimPrefix(above.path+"."+a.Name, "."), in: append(append([]step{}, above.in...), step{name: a.Name})}
		if a.Sensitive || a.WriteOnly {
			all = append(all, here)
		}
		if a.NestedType != nil {
			here.in[len(here.in)-1].nesting = a.NestedType.Nesting
			all = append(all, secretAttributes(a.NestedType.Attributes, here)...)
		}
	}
	return all
}

// with is a value of a type that is null but for one attribute.
func with(kind tftypes.Type, in []step, text string) tftypes.Value {
	object, ok := kind.(tftypes.Object)
	if !ok || len(in) == 0 {
		if kind.Is(tftypes.DynamicPseudoType) { // values: a text somewhere in it
			list := tftypes.NewValue(tftypes.List{ElementType: tftypes.String}, []tftypes.Value{tftypes.NewValue(tftypes.String, text)})
			return tftypes.NewValue(tftypes.Object{AttributeTypes: map[string]tftypes.Type{"a": list.Type()}}, map[string]tftypes.Value{"a": list})
		}
		return tftypes.NewValue(kind, text)
	}
	fields := map[string]tftypes.Value{}
	for name, fieldType := range object.AttributeTypes {
		fields[name] = tftypes.NewValue(fieldType, nil)
	}
	at := in[0]
	switch fieldType := object.AttributeTypes[at.name].(type) {
	case tftypes.Map:
		fields[at.name] = tftypes.NewValue(fieldType, map[string]tftypes.Value{"k": with(fieldType.ElementType, in[1:], text)})
	case tftypes.List:
		fields[at.name] = tftypes.NewValue(fieldType, []tftypes.Value{with(fieldType.ElementType, in[1:], text)})
	case tftypes.Set:
		fields[at.name] = tftypes.NewValue(fieldType, []tftypes.Value{with(fieldType.ElementType, in[1:], text)})
	default:
		fields[at.name] = with(fieldType, in[1:], text)
	}
	return tftypes.NewValue(kind, fields)
}

// TestEveryAttribute: whatever a schema has as sensitive or write-only is taken
// out of the answers to the request that has it, as a text, as the password of a
// URL, and as the token in a kubeconfig; and what the provider's configuration
// has, out of all later ones.
func TestEveryAttribute(t *testing.T) {
	schemas, err := redacted.Server(provider.New("test")())().GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil || len(schemas.Diagnostics) > 0 {
		t.Fatal(err, schemas)
	}
	texts := map[string]string{
		"text": secret, "URL": "http://ci:" + url.PathEscape(secret) + "@proxy:3128",
		"kubeconfig": `{clusters: [{name: c, cluster: {server: "https://h"}}], users: [{name: u, user: {token: "` + secret + `"}}]}`,
	}
	each := func(kind string, schema *tfprotov6.Schema, check func(t *testing.T, server tfprotov6.ProviderServer, config *tfprotov6.DynamicValue)) int {
		all := secretAttributes(schema.Block.Attributes, found{})
		for _, attribute := range all {
			for form, text := range texts {
				t.Run(kind+"."+attribute.path+" with a "+form, func(t *testing.T) {
					config, err := tfprotov6.NewDynamicValue(schema.ValueType(), with(schema.ValueType(), attribute.in, text))
					if err != nil {
						t.Fatal(err)
					}
					check(t, redacted.Before(echo{text: echoed(secret), schemas: schemas}), &config)
				})
			}
		}
		return len(all)
	}
	says := func(t *testing.T, answer any, err error) {
		t.Helper()
		absent(t, "the answer", shown(t, answer, err), secret)
	}
	n := each("provider", schemas.Provider, func(t *testing.T, server tfprotov6.ProviderServer, config *tfprotov6.DynamicValue) {
		answer, err := server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: config})
		says(t, answer, err)
		later, err := server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{TypeName: "carvel_run_namespace"})
		says(t, later, err)
	})
	if n < 10 {
		t.Errorf("the walk finds %d attributes of the provider", n)
	}
	for name, schema := range schemas.ResourceSchemas {
		n += each(name, schema, func(t *testing.T, server tfprotov6.ProviderServer, config *tfprotov6.DynamicValue) {
			validated, err := server.ValidateResourceConfig(t.Context(), &tfprotov6.ValidateResourceConfigRequest{TypeName: name, Config: config})
			says(t, validated, err)
			planned, err := server.PlanResourceChange(t.Context(), &tfprotov6.PlanResourceChangeRequest{TypeName: name, Config: config})
			says(t, planned, err)
			applied, err := server.ApplyResourceChange(t.Context(), &tfprotov6.ApplyResourceChangeRequest{TypeName: name, Config: config})
			says(t, applied, err)
			read, err := server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{TypeName: name, CurrentState: config})
			says(t, read, err)
		})
	}
	for name, schema := range schemas.EphemeralResourceSchemas {
		n += each(name, schema, func(t *testing.T, server tfprotov6.ProviderServer, config *tfprotov6.DynamicValue) {
			opened, err := server.OpenEphemeralResource(t.Context(), &tfprotov6.OpenEphemeralResourceRequest{TypeName: name, Config: config})
			says(t, opened, err)
		})
	}
	if n < 17 {
		t.Errorf("the walk finds %d attributes", n)
	}
}

// TestOtherRequests: what one request has is no secret in another.
func TestOtherRequests(t *testing.T) {
	schemas, err := redacted.Server(provider.New("test")())().GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	server := redacted.Before(echo{text: "staging-1", schemas: schemas})
	kind := schemas.ResourceSchemas["carvel_package_install"].ValueType()
	config, err := tfprotov6.NewDynamicValue(kind, with(kind, []step{{name: "values_wo"}}, "staging-1"))
	if err != nil {
		t.Fatal(err)
	}
	for want, request := range map[string]*tfprotov6.DynamicValue{redact.Mark: &config, "staging-1": nil} {
		t.Run(want, func(t *testing.T) {
			answer, _ := server.PlanResourceChange(t.Context(), &tfprotov6.PlanResourceChangeRequest{TypeName: "carvel_package_install", Config: request})
			if got := answer.Diagnostics[0].Summary; got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

func TestFunctionArgument(t *testing.T) {
	server := redacted.Before(echo{text: echoed(secret)})
	argument := func(text string) *tfprotov6.DynamicValue {
		packed, err := tfprotov6.NewDynamicValue(tftypes.String, tftypes.NewValue(tftypes.String, text))
		if err != nil {
			t.Fatal(err)
		}
		return &packed
	}
	number, err := tfprotov6.NewDynamicValue(tftypes.Number, tftypes.NewValue(tftypes.Number, 1))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := server.CallFunction(t.Context(), &tfprotov6.CallFunctionRequest{Arguments: []*tfprotov6.DynamicValue{
		&number, argument("plain"), argument(`{users: [{name: u, user: {password: "` + secret + `"}}]}`),
	}})
	absent(t, "the answer", shown(t, answer, err), secret)
}

// TestLog: what is logged with the Redactor of a request shows no secret.
func TestLog(t *testing.T) {
	var out bytes.Buffer
	r := redact.New()
	r.Know(secret)
	ctx := redact.NewContext(tflogtest.RootLogger(context.Background(), &out), r)
	redacted.Info(ctx, "Waiting: "+echoed(secret))
	redacted.Warn(ctx, "It failed: "+secret, errors.New(echoed(secret)))
	if strings.Count(out.String(), redact.Mark) < 4 {
		t.Errorf("the log has no redacted text: %s", out.String())
	}
	absent(t, "the log", out.String(), secret)
}
