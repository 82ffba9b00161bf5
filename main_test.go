package main

import (
	"slices"
	"testing"
)

func TestKeepQuiet(t *testing.T) {
	for variable, quiet := range map[string]bool{
		"HOME=/": true, "TF_LOG=": true, "TF_LOG=TRACE": false, "TF_LOG_PROVIDER=debug": false, "TF_LOG_SDK_PROTO=trace": false,
	} {
		set := map[string]string{}
		keepQuiet([]string{variable}, func(name, value string) error {
			set[name] = value
			return nil
		})
		for _, log := range []string{"TF_LOG_PROVIDER", "TF_LOG_SDK"} {
			if (set[log] == "off") != quiet {
				t.Errorf("with %s: %v", variable, set)
			}
		}
	}
}

// TestOutlive: the provider ends after its parent, and not before.
func TestOutlive(t *testing.T) {
	parents := []int{7, 7, 7, 1}
	looks := 0
	parent := func() int {
		looks++
		return parents[min(looks, len(parents))-1]
	}
	var exits []int
	outlive(parent, 0, 0, func(code int) { exits = append(exits, code) })
	if looks != 4 || !slices.Equal(exits, []int{1}) {
		t.Errorf("%d looks, exits %v", looks, exits)
	}
}
