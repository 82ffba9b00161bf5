package carvel

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSelected(t *testing.T) {
	git := func(at, subPath string) Fetch { return Fetch{Path: at, Git: &GitFetch{SubPath: subPath}} }
	ytt := func(paths ...string) Template { return Template{Ytt: &Ytt{Paths: paths}} }
	sops := Template{Sops: &Sops{Paths: []string{"never"}}}
	values := func(path string) Template {
		return Template{Ytt: &Ytt{Paths: []string{"a"}, ValuesFrom: []ValuesFrom{{Path: path}, {SecretRef: &LocalRef{Name: "x"}}}}}
	}
	one, two := []Fetch{git("", "clusters/")}, []Fetch{git("", "x"), git("", "./y/")}
	for name, c := range map[string]struct {
		fetch    []Fetch
		template []Template
		want     string
	}{
		"all of one":                    {one, []Template{ytt()}, "0:clusters"},
		"all of the repository":         {[]Fetch{git("", "")}, []Template{ytt()}, "0:"},
		"no step that reads":            {one, []Template{sops}, "0:clusters"},
		"directories of one":            {one, []Template{ytt("p/packages", "p/staging/")}, "0:clusters/p/packages 0:clusters/p/staging"},
		"of the root":                   {[]Fetch{git("", "/")}, []Template{ytt("p/packages")}, "0:p/packages"},
		"decrypted":                     {one, []Template{sops, ytt("p")}, "0:clusters/p"},
		"the same twice":                {one, []Template{ytt("p", "./p/", "q")}, "0:clusters/p 0:clusters/q"},
		"all of two":                    {two, []Template{ytt()}, "0:x 1:y"},
		"a directory of the second":     {two, []Template{ytt("1/p")}, "1:y/p"},
		"the whole second":              {two, []Template{ytt("1")}, "1:y"},
		"no number that begins so":      {two, []Template{ytt("11/p", "0/a")}, "0:x/a"},
		"everything by name":            {two, []Template{ytt(".")}, "0:x 1:y"},
		"a path of its own":             {[]Fetch{git("here", "x")}, []Template{ytt("here/a", "0/b", "here")}, "0:x/a 0:x"},
		"a path with a slash":           {[]Fetch{git("a/b", "x"), git("", "y")}, []Template{ytt("a")}, "0:x"},
		"other kinds beside it":         {[]Fetch{{Inline: &Inline{}}, git("", "y")}, []Template{ytt("0/a", "1/b")}, "1:y/b"},
		"kbld":                          {one, []Template{{Kbld: &Kbld{Paths: []string{"p"}}}}, "0:clusters/p"},
		"cue":                           {one, []Template{{Cue: &Cue{Paths: []string{"p"}, ValuesFrom: []ValuesFrom{{Path: "v.cue"}}}}}, "0:clusters/p 0:clusters/v.cue"},
		"a chart":                       {one, []Template{{HelmTemplate: &HelmTemplate{Path: "p"}}}, "0:clusters"},
		"a chart behind it":             {one, []Template{ytt("p"), {HelmTemplate: &HelmTemplate{}}}, "0:clusters"},
		"a later step reads its input":  {one, []Template{ytt("p"), ytt(), {Kbld: &Kbld{Paths: []string{"-"}}}}, "0:clusters/p"},
		"a later step reads more":       {one, []Template{ytt("p"), ytt("-", "q")}, "0:clusters/p 0:clusters/q"},
		"values":                        {one, []Template{values("v.yaml")}, "0:clusters/a 0:clusters/v.yaml"},
		"values of a later step":        {one, []Template{ytt("p"), values("v.yaml")}, "0:clusters/p 0:clusters/a 0:clusters/v.yaml"},
		"values beside everything":      {one, []Template{{Ytt: &Ytt{ValuesFrom: []ValuesFrom{{Path: "v.yaml"}}}}}, "0:clusters"},
		"dots stay in what was fetched": {two, []Template{ytt("0/../1/p")}, "1:y/p"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, s := range (AppSpec{Fetch: c.fetch, Template: c.template}).Selected() {
				got = append(got, fmt.Sprintf("%d:%s", s.Source, s.Path))
			}
			if text := strings.Join(got, " "); text != c.want {
				t.Errorf("selects %q, want %q", text, c.want)
			}
		})
	}
}

func TestSelectPaths(t *testing.T) {
	paths := []string{"p/packages", "p/staging"}
	plain, kbld := Template{Ytt: &Ytt{Strict: true}}, Template{Kbld: &Kbld{}}
	sops := Template{Sops: &Sops{Age: &PrivateKeys{}}}
	for name, c := range map[string]struct {
		template []Template
		want     []Template
		unfit    int
	}{
		"ytt":         {[]Template{plain}, []Template{{Ytt: &Ytt{Strict: true, Paths: paths}}}, -1},
		"kbld":        {[]Template{kbld, plain}, []Template{{Kbld: &Kbld{Paths: paths}}, plain}, -1},
		"cue":         {[]Template{{Cue: &Cue{}}}, nil, 0},
		"decrypted":   {[]Template{sops, sops, plain, kbld}, []Template{{Sops: &Sops{Age: &PrivateKeys{}, Paths: paths}}, {Sops: &Sops{Age: &PrivateKeys{}, Paths: paths}}, {Ytt: &Ytt{Strict: true, Paths: paths}}, kbld}, -1},
		"its input":   {[]Template{plain, {Ytt: &Ytt{Paths: []string{"-"}}}}, []Template{{Ytt: &Ytt{Strict: true, Paths: paths}}, {Ytt: &Ytt{Paths: []string{"-"}}}}, -1},
		"own paths":   {[]Template{sops, {Ytt: &Ytt{Paths: []string{"0"}}}}, nil, 1},
		"input of it": {[]Template{{Ytt: &Ytt{Paths: []string{"-"}}}}, nil, 0},
		"sops' own":   {[]Template{{Sops: &Sops{Paths: []string{"0"}}}, plain}, nil, 0},
		"later":       {[]Template{plain, {Kbld: &Kbld{Paths: []string{"-", "1/x"}}}}, nil, 1},
		"values":      {[]Template{{Ytt: &Ytt{ValuesFrom: []ValuesFrom{{Path: "0/values.yaml"}}}}}, nil, 0},
		"a chart":     {[]Template{{HelmTemplate: &HelmTemplate{}}}, nil, 0},
		"and another": {[]Template{plain, {HelmTemplate: &HelmTemplate{Path: "0"}}}, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			before := fmt.Sprintf("%+v", c.template)
			got, unfit, ok := SelectPaths(c.template, paths)
			if diff := cmp.Diff(c.want, got); diff != "" || ok != (c.unfit < 0) || !ok && unfit != c.unfit {
				t.Errorf("unfit %d, %t: %s", unfit, ok, diff)
			}
			if after := fmt.Sprintf("%+v", c.template); after != before {
				t.Errorf("the steps were changed from %s to %s", before, after)
			}
			if !ok {
				return
			}
			rest, selected := SelectedPaths(got)
			if diff := cmp.Diff(c.template, rest) + cmp.Diff(paths, selected); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPassesThrough(t *testing.T) {
	fetch := []Fetch{{Git: &GitFetch{}}}
	for name, c := range map[string]struct {
		template []Template
		want     bool
	}{
		"everything":    {[]Template{{Ytt: &Ytt{}}}, true},
		"some of it":    {[]Template{{Sops: &Sops{}}, {Ytt: &Ytt{Paths: []string{"p"}}}, {Kbld: &Kbld{}}}, true},
		"overlays":      {[]Template{{Ytt: &Ytt{}}, {Ytt: &Ytt{Paths: []string{"-", "overlays"}}}}, false},
		"inline":        {[]Template{{Ytt: &Ytt{Inline: &Inline{}}}}, false},
		"file marks":    {[]Template{{Ytt: &Ytt{FileMarks: []string{"a:b=c"}}}}, false},
		"data values":   {[]Template{{Ytt: &Ytt{ValuesFrom: []ValuesFrom{{}}}}}, false},
		"another step":  {[]Template{{Cue: &Cue{}}}, false},
		"behind it all": {[]Template{{Kbld: &Kbld{}}, {Ytt: &Ytt{Paths: []string{"x"}}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (AppSpec{Fetch: fetch, Template: c.template}).PassesThrough(); got != c.want {
				t.Errorf("got %t", got)
			}
		})
	}
}
