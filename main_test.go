package main

import "testing"

func TestKeepQuiet(t *testing.T) {
	for variable, quiet := range map[string]bool{
		"HOME=/": true, "TF_LOG=": true, "TF_LOG=TRACE": false, "TF_LOG_PROVIDER=debug": false, "TF_LOG_SDK_PROTO=trace": false,
	} {
		set := map[string]string{}
		keepQuiet([]string{variable}, func(name, value string) error {
			set[name] = value
			return nil
		})
		if (set["TF_LOG_SDK"] == "off") != quiet {
			t.Errorf("with %s: %v", variable, set)
		}
	}
}
