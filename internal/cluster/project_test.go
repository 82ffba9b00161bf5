package cluster

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

func TestProject(t *testing.T) {
	for name, c := range map[string]struct{ live, shape, want string }{
		"the same":        {`{a: 1}`, `{a: 1}`, `{a: 1}`},
		"changed":         {`{a: 2}`, `{a: 1}`, `{a: 2}`},
		"others' fields":  {`{a: 1, b: 2, c: {d: 1}}`, `{a: 1}`, `{a: 1}`},
		"removed":         {`{b: 2}`, `{a: 1, b: 2}`, `{b: 2}`},
		"nested":          {`{m: {labels: {ours: x, theirs: y}}}`, `{m: {labels: {ours: x}}}`, `{m: {labels: {ours: x}}}`},
		"a list is whole": {`{l: [1, 2]}`, `{l: [1]}`, `{l: [1, 2]}`},
		"defaults in a list's elements": {
			`{l: [{a: 1, defaulted: x}]}`, `{l: [{a: 1}]}`, `{l: [{a: 1}]}`,
		},
		"another type": {`{m: text}`, `{m: {a: 1}}`, `{m: text}`},
		"list gone":    {`{l: null}`, `{l: [1]}`, `{l: null}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := Project(parse(t, c.live), parse(t, c.shape))
			if diff := cmp.Diff(parse(t, c.want), got); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		})
	}
}

func parse(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}
