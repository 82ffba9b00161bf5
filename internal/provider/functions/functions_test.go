package functions

import (
	"context"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// call runs a function as the framework does. The last argument is that of the
// variadic parameter, if there is one.
func call(f function.Function, result attr.Value, arguments ...attr.Value) (attr.Value, *function.FuncError) {
	resp := function.RunResponse{Result: function.NewResultData(result)}
	f.Run(context.Background(), function.RunRequest{Arguments: function.NewArgumentsData(arguments)}, &resp)
	return resp.Result.Value(), resp.Error
}

func texts(values ...string) []attr.Value {
	out := make([]attr.Value, 0, len(values))
	for _, v := range values {
		out = append(out, types.StringValue(v))
	}
	return out
}

func list(values ...string) attr.Value {
	return types.ListValueMust(types.StringType, texts(values...))
}

// more is what a variadic parameter gets.
func more(values ...string) attr.Value {
	elements := texts(values...)
	kinds := make([]attr.Type, len(elements))
	for i := range kinds {
		kinds[i] = types.StringType
	}
	return types.TupleValueMust(kinds, elements)
}

// check compares a result, or the text of an error and the argument that it is
// about: "1: text" for the second.
func check(t *testing.T, got attr.Value, err *function.FuncError, want attr.Value, wantErr string) {
	t.Helper()
	if wantErr == "" {
		if err != nil || !got.Equal(want) {
			t.Errorf("got %s, %v; want %s", got, err, want)
		}
		return
	}
	position, text, _ := strings.Cut(wantErr, ": ")
	if err == nil || err.FunctionArgument == nil || string(rune('0'+*err.FunctionArgument)) != position || !strings.Contains(err.Text, text) {
		t.Errorf("got %s, %+v; want %s", got, err, wantErr)
	}
}

func TestPackageInstallPath(t *testing.T) {
	for name, c := range map[string]struct {
		pkg, cluster string
		prefix       []string
		want, err    string
	}{
		"root":           {"app.default.tap", "staging", nil, "app.default.tap/staging", ""},
		"prefix":         {"app.default.tap", "prod-eu", []string{"clusters/apps/"}, "clusters/apps/app.default.tap/prod-eu", ""},
		"empty prefix":   {"app.default.tap", "staging", []string{""}, "app.default.tap/staging", ""},
		"package":        {"app", "staging", nil, "", "0: at least three segments"},
		"run cluster":    {"app.default.tap", "packages", nil, "", "1: give the run cluster another name"},
		"outside":        {"app.default.tap", "staging", []string{"../x"}, "", "2: not a directory inside the repository"},
		"two prefixes":   {"app.default.tap", "staging", []string{"a", "b"}, "", "3: at most one path_prefix"},
		"several faults": {"app", "Staging", nil, "", "0: at least three segments"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := call(newPackageInstallPath(), types.StringUnknown(), types.StringValue(c.pkg), types.StringValue(c.cluster), more(c.prefix...))
			check(t, got, err, types.StringValue(c.want), c.err)
		})
	}
}

func TestVersionMatches(t *testing.T) {
	for _, c := range []struct {
		version, constraint string
		want                bool
		err                 string
	}{
		{"1.2.3", ">=1.0.0 <2.0.0", true, ""},
		{"2.0.0", ">=1.0.0 <2.0.0", false, ""},
		{"2.0.0", "1.x || >=2.0.0", true, ""},
		{"20230321004057.0.0", ">=0.0.0", true, ""},
		{"1.0.0", "", true, ""},
		{"2.0.0-rc.1", ">=1.0.0", true, ""},
		{"1.0.0+b.1", ">1.0.0", true, ""},
		{"latest", ">=1.0.0", false, `0: "latest" is not a version`},
		{"1.0", ">=1.0.0", false, `0: "1.0" is not a version`},
		{"1.0.0", "^1.0.0", false, `1: write ">=1.0.0 <2.0.0"`},
		{"1.0.0", "1.0.0 - 2.0.0", false, "1: a hyphen range matches nothing"},
		{"1.0.0", ">=2.0.0 <1.0.0", false, "1: no version is in all of its ranges"},
		{"latest", "~1.0.0", false, `0: "latest" is not a version`},
	} {
		t.Run(c.version+" "+c.constraint, func(t *testing.T) {
			got, err := call(newVersionMatches(), types.BoolUnknown(), types.StringValue(c.version), types.StringValue(c.constraint))
			check(t, got, err, types.BoolValue(c.want), c.err)
		})
	}
}

func TestHealthyFor(t *testing.T) {
	const noon = "2026-11-27T12:00:00Z"
	null := types.StringNull()
	for name, c := range map[string]struct {
		since         types.String
		duration, now string
		want          bool
		err           string
	}{
		"long ago":           {types.StringValue("2026-11-20T12:00:00Z"), "24h", noon, true, ""},
		"just now":           {types.StringValue("2026-11-26T12:00:00Z"), "24h", noon, true, ""},
		"a second too short": {types.StringValue("2026-11-26T12:00:01Z"), "24h", noon, false, ""},
		"other zones":        {types.StringValue("2026-11-26T14:00:00+02:00"), "24h", "2026-11-27T07:00:00-05:00", true, ""},
		"no soak":            {types.StringValue(noon), "0s", noon, true, ""},
		"in the future":      {types.StringValue("2026-11-27T12:00:01Z"), "0s", noon, false, ""},
		"cannot be told":     {null, "24h", noon, false, ""},
		"null and no soak":   {null, "0s", noon, false, ""},
		"days":               {types.StringValue(noon), "1d", noon, false, `1: "1d" is not a duration`},
		"negative":           {types.StringValue(noon), "-1h", noon, false, `1: "-1h" is not a duration`},
		"null and days":      {null, "1d", noon, false, `1: "1d" is not a duration`},
		"no time":            {types.StringValue("yesterday"), "1h", noon, false, `0: "yesterday" is not a time`},
		"no present time":    {types.StringValue(noon), "1h", "now", false, `2: "now" is not a time`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := call(newHealthyFor(), types.BoolUnknown(), c.since, types.StringValue(c.duration), types.StringValue(c.now))
			check(t, got, err, types.BoolValue(c.want), c.err)
		})
	}
}

func TestValuesDigest(t *testing.T) {
	values := func(replicas string) types.Dynamic {
		return types.DynamicValue(types.ObjectValueMust(
			map[string]attr.Type{"hostname": types.StringType, "replicas": types.StringType},
			map[string]attr.Value{"hostname": types.StringValue("yes"), "replicas": types.StringValue(replicas)},
		))
	}
	// What the data source makes of the Secret is made of a text.
	want, err := carvel.ValuesDigest("app.default.tap", []byte("# by hand\nreplicas: \"2\"\nhostname: 'yes'\n"))
	if err != nil {
		t.Fatal(err)
	}
	got, wrong := call(newValuesDigest(), types.StringUnknown(), types.StringValue("app.default.tap"), values("2"))
	check(t, got, wrong, types.StringValue(want), "")
	for name, c := range map[string]struct{ pkg, replicas string }{"another value": {"app.default.tap", "3"}, "another package": {"web.default.tap", "2"}} {
		t.Run(name, func(t *testing.T) {
			got, wrong := call(newValuesDigest(), types.StringUnknown(), types.StringValue(c.pkg), values(c.replicas))
			if wrong != nil || got.Equal(types.StringValue(want)) {
				t.Errorf("got %s, %v: the same digest", got, wrong)
			}
		})
	}
	got, wrong = call(newValuesDigest(), types.StringUnknown(), types.StringValue("app.default.tap"), types.DynamicValue(types.StringValue("a: b")))
	check(t, got, wrong, nil, "1: must be an object")
	got, wrong = call(newValuesDigest(), types.StringUnknown(), types.StringValue("app"), values("2"))
	check(t, got, wrong, nil, "0: at least three segments")
}

func TestSelectVersion(t *testing.T) {
	for name, c := range map[string]struct {
		versions    []string
		constraint  string
		prereleases []string
		want, err   string
	}{
		"highest":              {[]string{"1.0.0", "1.10.0", "1.9.0"}, "", nil, "1.10.0", ""},
		"constrained":          {[]string{"1.0.0", "2.0.0", "3.0.0"}, "<3.0.0", nil, "2.0.0", ""},
		"as given":             {[]string{"v1.0.0"}, "1.0.0", nil, "v1.0.0", ""},
		"others passed over":   {[]string{"latest", "1.0.0", "main"}, ">=0.0.0", nil, "1.0.0", ""},
		"no prereleases":       {[]string{"1.0.0", "2.0.0-rc.1"}, ">=0.0.0", nil, "1.0.0", ""},
		"prereleases":          {[]string{"1.0.0", "2.0.0-rc.1", "3.0.0-dev.1"}, ">=0.0.0", []string{"rc"}, "2.0.0-rc.1", ""},
		"all prereleases":      {[]string{"1.0.0", "2.0.0-rc.1", "3.0.0-dev.1"}, ">=0.0.0", []string{"*"}, "3.0.0-dev.1", ""},
		"just this prerelease": {[]string{"1.0.0", "2.0.0-rc.1"}, "2.0.0-rc.1", nil, "2.0.0-rc.1", ""},
		"none":                 {nil, ">=0.0.0", nil, "", "0: there is no version among them"},
		"only prereleases":     {[]string{"1.0.0-rc.1"}, ">=0.0.0", nil, "", "0: all of them are prereleases"},
		"none allowed":         {[]string{"1.0.0"}, ">=2.0.0", nil, "", `0: ">=2.0.0" allows none of them. In kapp-controller's words: Expected to find at least one version`},
		"bad constraint":       {[]string{"1.0.0"}, "v1.0.0", nil, "", `1: write "1.0.0"`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := call(newSelectVersion(), types.StringUnknown(), list(c.versions...), types.StringValue(c.constraint), more(c.prereleases...))
			check(t, got, err, types.StringValue(c.want), c.err)
		})
	}
	withNull := types.ListValueMust(types.StringType, []attr.Value{types.StringValue("1.0.0"), types.StringNull()})
	got, err := call(newSelectVersion(), types.StringUnknown(), withNull, types.StringValue(""), more())
	check(t, got, err, nil, "0: element 1 is null")
}

const whole = `
apiVersion: v1
kind: Config
current-context: staging
clusters:
- {name: staging, cluster: {server: "https://api.staging.example.com:6443"}}
- {name: other, cluster: {server: "https://api.other.example.com:6443", certificate-authority: /ca.crt}}
users:
- {name: apps, user: {token: canary}}
- {name: admin, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: get-token}}}
contexts:
- {name: staging, context: {cluster: staging, user: apps, namespace: apps}}
- {name: other, context: {cluster: other, user: admin}}
`

func TestPortableKubeconfig(t *testing.T) {
	got, err := call(newPortableKubeconfig(), types.StringUnknown(), types.StringValue(whole))
	text := got.(types.String).ValueString()
	if err != nil || !strings.Contains(text, "token: canary") || strings.Contains(text, "other") || strings.Contains(text, "admin") {
		t.Errorf("got %v\n%s", err, text)
	}
	for edit, want := range map[string][]string{
		"current-context: other":                       {"0: exec plugin", "0: certificate-authority is a file path", "0: kapp-controller keeps what is inline"},
		"current-context: nosuch":                      {`0: current-context names "nosuch"`},
		"current-context: staging\nnonsense: {a: [}]}": {"0: not a kubeconfig"},
	} {
		t.Run(edit, func(t *testing.T) {
			got, err := call(newPortableKubeconfig(), types.StringUnknown(), types.StringValue(strings.Replace(whole, "current-context: staging", edit, 1)))
			for _, w := range want {
				check(t, got, err, nil, w)
			}
			if err != nil && strings.Contains(err.Text, "canary") {
				t.Errorf("%s: the error quotes the token", edit)
			}
		})
	}
}
