package installfiles

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

const (
	anInstall = "apiVersion: packaging.carvel.dev/v1alpha1\nkind: PackageInstall\nmetadata:\n  name: app\n  annotations: {ext.packaging.carvel.dev/ytt-paths-from-secret-name: app-overlays}\n" +
		"spec:\n  packageRef: {refName: app.default.tap, versionSelection: {constraints: 1.0.0}}\n  values: [{secretRef: {name: app-values}}, {secretRef: {name: more}}]\n"
	aSecret  = "apiVersion: v1\nkind: Secret\nmetadata: {name: app-values}\nstringData: {values.yaml: 'a: 1'}\n"
	overlays = "apiVersion: v1\nkind: Secret\nmetadata: {name: app-overlays}\nstringData: {o.yaml: '#@ x'}\n"
	account  = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: sa}\n"
	more     = "apiVersion: v1\nkind: Secret\nmetadata: {name: more}\nstringData: {values.yaml: 'b: 2'}\n"
)

// TestPair: the documents of a package install are read from wherever they are in its
// files, and others are told.
func TestPair(t *testing.T) {
	join := func(documents ...string) string { return strings.Join(documents, "---\n") }
	for name, c := range map[string]struct {
		install, params, overlays string
		values                    any
		withOverlays              bool
		foreign                   []string
	}{
		"each in its file":           {anInstall, aSecret, overlays, 1, true, nil},
		"all in one":                 {join(aSecret, overlays, anInstall), "", "", 1, true, nil},
		"the other way around":       {aSecret, anInstall, "", 1, false, nil},
		"both in the other":          {"# nothing\n", join(anInstall, aSecret), "", 1, false, nil},
		"an account before":          {join(account, anInstall), aSecret, "", 1, false, []string{"packageinstall.yaml line 1: ServiceAccount sa"}},
		"an account behind":          {anInstall, join(aSecret, account), "", 1, false, []string{"params.yaml line 6: ServiceAccount sa"}},
		"another Secret that it has": {join(anInstall, more), aSecret, "", 1, false, []string{"packageinstall.yaml line 10: Secret more"}},
		"another Secret before":      {anInstall, join(more, aSecret), "", 2, false, []string{"params.yaml line 6: Secret app-values"}},
		"a second PackageInstall":    {join(anInstall, strings.Replace(anInstall, "name: app", "name: other", 1)), aSecret, "", 1, false, []string{"packageinstall.yaml line 10: PackageInstall other"}},
		"no kind":                    {join(anInstall, "a: 1\n"), aSecret, "", 1, false, []string{"packageinstall.yaml line 10: a document without a kind"}},
		"beside the overlays":        {anInstall, aSecret, join(overlays, account), 1, true, []string{"overlays.yaml line 6: ServiceAccount sa"}},
		"a Secret of no name in it":  {anInstall, strings.Replace(aSecret, "app-values", "theirs", 1), "", 1, false, nil},
		"no Secret, but an account":  {anInstall, account, "", nil, false, []string{"params.yaml line 1: ServiceAccount sa"}},
		"empty documents":            {"---\n" + join(anInstall, "---\n"), aSecret, "", 1, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			found := Contents{repolayout.PackageInstallFile: []byte(c.install)}
			for file, text := range map[string]string{repolayout.ParamsFile: c.params, repolayout.OverlaysFile: c.overlays} {
				if text != "" {
					found[file] = []byte(text)
				}
			}
			spec, ours, err := Parse(found)
			if err != nil {
				t.Fatal(err)
			}
			value, given := spec.Values["a"]
			if b, other := spec.Values["b"]; other {
				value, given = b, true
			}
			if given != (c.values != nil) || given && fmt.Sprint(value) != fmt.Sprint(c.values) || (spec.Overlays != nil) != c.withOverlays {
				t.Errorf("%+v", spec)
			}
			var foreign []string
			for _, d := range Foreign(ours) {
				foreign = append(foreign, d.String())
			}
			if diff := cmp.Diff(c.foreign, foreign); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestCanonical_foreign: documents of somebody else make no difference to what a file
// says of the package install.
func TestCanonical_foreign(t *testing.T) {
	written := rendered(t, documented())
	for _, file := range []string{repolayout.PackageInstallFile, repolayout.ParamsFile} {
		found := maps.Clone(written)
		found[file] = append([]byte(account+"---\n"), written[file]...)
		spec, ours, err := Parse(found)
		if err != nil {
			t.Fatal(err)
		}
		same, err := Canonical(spec, ours)
		if err != nil || string(same[file]) != string(written[file]) {
			t.Errorf("%s: %v, %v", file, err, same)
		}
	}
}

// TestUnreadable: the error names the file and the line, and what stands there.
func TestUnreadable(t *testing.T) {
	pointer := "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"
	for name, c := range map[string]struct{ install, params, want string }{
		"LFS":                 {pointer, aSecret, "packageinstall.yaml: line 1: a pointer of Git LFS"},
		"LFS, the values":     {anInstall, pointer, "params.yaml: line 1: a pointer of Git LFS"},
		"a key twice":         {anInstall + "kind: PackageInstall\n", aSecret, `packageinstall.yaml: line 9: the key "kind" comes twice`},
		"a key twice, values": {anInstall, aSecret + "stringData: {}\n", `params.yaml: line 5: the key "stringData" comes twice`},
		"a tab":               {strings.Replace(anInstall, "  name: app", "\tname: app", 1), aSecret, "packageinstall.yaml: line 4: not YAML"},
		"a conflict":          {"<<<<<<< HEAD\n" + anInstall + "=======\n" + anInstall + ">>>>>>> other\n", aSecret, "packageinstall.yaml: line 1: a conflict"},
		"git-crypt":           {"\x00GITCRYPT\x00abc", aSecret, "packageinstall.yaml: line 1: encrypted by git-crypt"},
		"Ansible Vault":       {anInstall, "$ANSIBLE_VAULT;1.1;AES256\n6162\n", "params.yaml: line 1: encrypted by Ansible Vault"},
		"no PackageInstall":   {account, aSecret, "packageinstall.yaml: no PackageInstall"},
		"another API":         {account + "---\n" + strings.Replace(anInstall, "v1alpha1", "v9", 1), aSecret, "packageinstall.yaml: line 5: expected a PackageInstall"},
		"a wrong type":        {strings.Replace(anInstall, "{constraints: 1.0.0}", "[]", 1), aSecret, "packageinstall.yaml: line 1: a PackageInstall with a field"},
		"values that are bad": {anInstall, strings.Replace(aSecret, "'a: 1'", "'a: ['", 1), `params.yaml: line 1: key "values.yaml"`},
		"a template":          {strings.Replace(anInstall, "name: app\n", "name: #@ data.values.name\n", 1), aSecret, "packageinstall.yaml: line 4: a comment of ytt"},
		"no name":             {strings.Replace(anInstall, "  name: app\n", "", 1), aSecret, "packageinstall.yaml: line 1: the PackageInstall has no metadata.name"},
		"of another package":  {strings.Replace(anInstall, "app.default.tap", "db.default.tap", 1), aSecret, `packageinstall.yaml: line 1: the PackageInstall is of the package "db.default.tap"`},
	} {
		t.Run(name, func(t *testing.T) {
			found := Contents{repolayout.PackageInstallFile: []byte(c.install), repolayout.ParamsFile: []byte(c.params)}
			_, _, err := Parse(found)
			if err == nil {
				err = Importable("app.default.tap", found)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	if err := Importable("app.default.tap", Contents{repolayout.PackageInstallFile: []byte("# a comment\n" + anInstall), repolayout.ParamsFile: []byte(aSecret)}); err != nil {
		t.Error(err)
	}
}

// TestClash: an object that a package install is to make is found in any file.
func TestClash(t *testing.T) {
	makes := []Document{{Kind: "PackageInstall", Name: "app"}, {Kind: "Secret", Name: "app-values"}}
	other := strings.NewReplacer("name: app\n", "name: web\n", "app.default.tap", "web.default.tap").Replace(anInstall)
	for text, want := range map[string]string{
		anInstall: "x.yml line 1: PackageInstall app", strings.Replace(anInstall, "name: app\n", "name: other\n", 1): "x.yml line 1: PackageInstall other",
		account + "---\n" + aSecret: "x.yml line 5: Secret app-values", other: "", account: "", more: "", "a: [": "", "": "",
	} {
		found, clashes := Clash("x.yml", []byte(text), "app.default.tap", makes)
		if clashes != (want != "") || clashes && found.String() != want {
			t.Errorf("%s: %s", text, found)
		}
	}
}
