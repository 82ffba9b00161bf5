package carvel

import (
	"strings"
	"testing"
)

func TestValidateNames(t *testing.T) {
	long := strings.Repeat("a", 300)
	bad := []string{"", "..", "a/b", "Staging", long, "a_b", "-a", "a b", "a\n"}
	for name, validate := range map[string]func(string) error{
		"namespace": ValidateName, "object": ValidateObjectName, "package": ValidatePackageName, "run cluster": ValidateRunCluster,
	} {
		t.Run(name, func(t *testing.T) {
			for _, value := range bad {
				if validate(value) == nil {
					t.Errorf("%s %q was accepted", name, value)
				}
			}
		})
	}
	for value, ok := range map[string]bool{"app.default.tap": true, "a.b.c.d": true, "app.default": false, "app": false, "app..tap": false} {
		t.Run(value, func(t *testing.T) {
			if err := ValidatePackageName(value); (err == nil) != ok {
				t.Errorf("package name %q: %v", value, err)
			}
		})
	}
	if ValidateRunCluster("packages") == nil {
		t.Error("a run cluster may not have the name of the directory that holds the package's versions")
	}
	if err := ValidateRunCluster("prod-eu-1"); err != nil {
		t.Error(err)
	}
}

func TestDefaultNames(t *testing.T) {
	for got, want := range map[string]string{
		DefaultInstallName("app.default.tap"): "app",
		DefaultValuesSecretName("app"):        "app-values",
		DefaultServiceAccount("staging-apps"): "staging-apps-sa",
		DefaultKubeconfigSecretName("prod"):   "prod-kubeconfig",
	} {
		t.Run(got, func(t *testing.T) {
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestCanonicalDuration(t *testing.T) {
	for in, want := range map[string]string{"": "", "30s": "30s", "60s": "1m0s", "90s": "1m30s", "10m": "10m0s", "1h30m": "1h30m0s"} {
		t.Run(in, func(t *testing.T) {
			got, err := CanonicalDuration(in)
			if err != nil || got != want {
				t.Errorf("%q: got %q, %v, want %q", in, got, err, want)
			}
		})
	}
	for _, in := range []string{"banana", "30", "1d", "29s", "-1m", " 30s"} {
		if got, err := CanonicalDuration(in); err == nil {
			t.Errorf("%q was accepted as %q", in, got)
		}
	}
}

func TestValidateDeployOption(t *testing.T) {
	for option, ok := range map[string]bool{
		AllowEmptyOption: true, "--wait-timeout=5m": true, "--logs=false": true, "--diff-changes=true": true,
		"--wait": false, "--wait false": false, "-w=1": false, "--kubeconfig=/etc/passwd": false, "--Wait=true": false, "": false, "--wait=": false,
	} {
		t.Run(option, func(t *testing.T) {
			if err := ValidateDeployOption(option); (err == nil) != ok {
				t.Errorf("%q: %v", option, err)
			}
		})
	}
}

func TestValidateGitRefAndSubPath(t *testing.T) {
	for ref, ok := range map[string]bool{
		"origin/main": true, "main": true, "v1.0.0": true, "origin/feature/x": true,
		"": false, "HEAD": false, "refs/heads/main": false, "-x": false, "a b": false,
	} {
		t.Run(ref, func(t *testing.T) {
			if err := ValidateGitRef(ref); (err == nil) != ok {
				t.Errorf("ref %q: %v", ref, err)
			}
		})
	}
	for subPath, ok := range map[string]bool{"": true, "a/b": true, "a/": true, "./a": true, "..a": true, "../a": false, "a/../b": false} {
		t.Run(subPath, func(t *testing.T) {
			if err := ValidateSubPath(subPath); (err == nil) != ok {
				t.Errorf("sub path %q: %v", subPath, err)
			}
		})
	}
}

func TestValidateServer(t *testing.T) {
	for server, ok := range map[string]bool{
		"https://127.0.0.1:6443": true, "https://api.example.com": true,
		"http://api.example.com": false, "api.example.com": false, "https://": false, "https://u:p@api.example.com": false, "%": false,
	} {
		t.Run(server, func(t *testing.T) {
			if err := ValidateServer(server); (err == nil) != ok {
				t.Errorf("%q: %v", server, err)
			}
		})
	}
}
