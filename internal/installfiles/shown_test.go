package installfiles

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// TestMask: what is known is shown by its names, and what is not is masked
// whole.
func TestMask(t *testing.T) {
	const whole = carvel.Masked + "\n"
	const install = "apiVersion: packaging.carvel.dev/v1alpha1\nkind: PackageInstall\nmetadata: {name: app}\nspec: {}\n"
	for name, c := range map[string]struct {
		mask       func([]byte) string
		text, want string
	}{
		"values": {
			maskSecret, "apiVersion: v1\nkind: Secret\nmetadata: {name: a, labels: {team: s3cret}}\nstringData: {values.yaml: \"---\\nuser: {password: s3cret}\\n\"}\n",
			"apiVersion: v1\nkind: Secret\nmetadata:\n  labels:\n    team: (sensitive value)\n  name: a\nstringData:\n  values.yaml: |\n    ---\n    user:\n      password: (sensitive value)\n",
		},
		"a text that ends in a colon":   {maskSecret, "kind: Secret\nstringData: {values.yaml: 'S3cret:', other: 'S3cret: 1'}\n", "kind: Secret\nstringData:\n  other: (sensitive value)\n  values.yaml: (sensitive value)\n"},
		"a flow of keys":                {maskSecret, "kind: Secret\nstringData: {values.yaml: '{S3cret, a: {S3cret}}'}\n", "kind: Secret\nstringData:\n  values.yaml: (sensitive value)\n"},
		"data with a document":          {maskSecret, "kind: Secret\ndata: {values.yaml: 'S3cret: 1'}\n", "data:\n  values.yaml: (sensitive value)\nkind: Secret\n"},
		"no kind":                       {maskSecret, "S3cret:\n", whole},
		"another kind":                  {maskSecret, "kind: ConfigMap\ndata: {S3cret: x}\n", whole},
		"a list of Secrets":             {maskSecret, "kind: SecretList\nitems: [{kind: Secret, data: {a: S3cret}}]\n", whole},
		"another API":                   {maskSecret, "apiVersion: v2\nkind: Secret\nstringData: {S3cret: a}\n", whole},
		"an unknown field":              {maskSecret, "kind: Secret\nS3cret: 1\n", whole},
		"a nested value":                {maskSecret, "kind: Secret\nstringData: {a: {S3cret: 1}}\n", whole},
		"a key that is none":            {maskSecret, "kind: Secret\nstringData: {'S3cret!': a}\n", whole},
		"a name that is none":           {maskSecret, "kind: Secret\nmetadata: {name: {S3cret: a}}\n", whole},
		"a label that is none":          {maskSecret, "kind: Secret\nmetadata: {labels: {a: {S3cret: a}}}\n", whole},
		"a type that is none":           {maskSecret, "kind: Secret\ntype: {S3cret: a}\n", whole},
		"text":                          {maskSecret, "S3cret", whole},
		"no YAML":                       {maskSecret, "kind: Secret\nstringData: [S3cret", whole},
		"a key twice":                   {maskSecret, "kind: Secret\nstringData: {a: S3cret, a: S3cret}\n", whole},
		"nothing":                       {maskSecret, "", whole},
		"encrypted":                     {maskEncrypted, "kind: Secret\nsops: {mac: S3cret}\nstringData: {values.yaml: 'ENC[S3cret]'}\n", "kind: Secret\nstringData:\n  values.yaml: (sensitive value)\n"},
		"encrypted, with a map":         {maskEncrypted, "kind: Secret\nstringData: {a: {S3cret: x}}\n", whole},
		"an install":                    {maskOthers, "# as it is\n" + install, "# as it is\n" + install},
		"an install and a Secret":       {maskOthers, install + "---\nkind: Secret\nstringData: {a: S3cret}\n", "apiVersion: packaging.carvel.dev/v1alpha1\nkind: PackageInstall\nmetadata:\n  name: app\nspec: {}\n---\nkind: Secret\nstringData:\n  a: (sensitive value)\n"},
		"a kind in escapes":             {maskOthers, "kind: \"S\\u0065cret\"\nstringData: {a: S3cret}\n", "kind: Secret\nstringData:\n  a: (sensitive value)\n"},
		"a field's name in escapes":     {maskOthers, "\"k\\u0069nd\": Secret\nstringData: {a: S3cret}\n", "kind: Secret\nstringData:\n  a: (sensitive value)\n"},
		"an install and something else": {maskOthers, install + "---\nkind: ConfigMap\ndata: {a: S3cret}\n", "apiVersion: packaging.carvel.dev/v1alpha1\nkind: PackageInstall\nmetadata:\n  name: app\nspec: {}\n---\n" + whole},
		"an install of another API":     {maskOthers, "apiVersion: v1\nkind: PackageInstall\nspec: {a: S3cret}\n", whole},
		"an install with a Secret's":    {maskOthers, install + "stringData: {a: S3cret}\n", whole},
		"an empty file":                 {maskOthers, "# S3cret\n", whole},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.mask([]byte(c.text)); got != c.want {
				t.Errorf("%s is shown as\n%s", name, got)
			}
		})
	}
}

// TestMask_random: no value of a Secret shows, however the Secret is written.
func TestMask_random(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	for i := range 2000 {
		canary := fmt.Sprintf("Canary%d", i)
		value := pick(canary, canary+":", canary+": ", "- "+canary, "{"+canary+"}", "["+canary+"]", "'"+canary+"'", "a: "+canary, "a: {"+canary+": }", "? "+canary,
			"#@ "+canary, "--- "+canary, "!t "+canary, "&a "+canary, "|\n  "+canary, canary+":\n"+canary+"2:\n", "a:\n- "+canary+"\n", "\t"+canary)
		text, field := value, "stringData"
		if random.IntN(3) == 0 {
			field = "data"
			if random.IntN(2) == 0 {
				text = base64.StdEncoding.EncodeToString([]byte(value))
			}
		}
		written := pick(fmt.Sprintf("%q", text), "'"+strings.ReplaceAll(text, "'", "''")+"'", text)
		secret := pick("Secret", `"Secret"`, `"S\u0065cret"`, `"\x53ecret"`, "!!str Secret", "&k Secret", "SecretList", "secret", "SealedSecret") + "\n"
		document := pick("", "apiVersion: v1\n", "%YAML 1.1\n---\n", "---\n") +
			pick("", "kind: "+secret, `"k\u0069nd": `+secret, "? kind\n: "+secret) +
			pick("", "metadata: {name: a}\n", "type: Opaque\n", "immutable: true\n") +
			pick(field+": {"+pick("values.yaml", "password", `"p\u0061ss"`)+": "+written+"}\n", field+":\n  "+pick("values.yaml", "a.yaml", "b")+": "+written+"\n",
				field+": "+written+"\n", "data: &d {a: "+written+"}\nstringData: *d\n")
		if random.IntN(3) == 0 {
			document = "apiVersion: packaging.carvel.dev/v1alpha1\nkind: PackageInstall\nmetadata: {name: app}\nspec: {}\n---\n" + document
		}
		for name, mask := range map[string]func([]byte) string{"maskSecret": maskSecret, "maskOthers": maskOthers, "maskEncrypted": maskEncrypted} {
			shown := mask([]byte(document))
			if strings.Contains(shown, canary) || field == "data" && strings.Contains(shown, base64.RawStdEncoding.EncodeToString([]byte(value))) {
				t.Fatalf("%s shows of\n%s\nthis:\n%s", name, document, shown)
			}
		}
	}
}
