// Package owner names a Terraform configuration, so that it knows again what an
// interrupted apply of its own has made, and tells that from what another
// configuration with the same names has. A configuration is known by where its
// state is kept, which no two share.
package owner

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Variable is the environment variable that sets the name.
const Variable = "CARVEL_OWNER"

// Surroundings are what a name is made of if none is configured.
type Surroundings struct {
	Env       func(string) string
	Hostname  func() (string, error)
	Directory func() (string, error) // of the configuration
	ReadFile  func(string) ([]byte, error)
}

// System are the surroundings of this process.
func System() Surroundings {
	return Surroundings{Env: os.Getenv, Hostname: os.Hostname, Directory: os.Getwd, ReadFile: os.ReadFile}
}

// locations are the settings of Terraform's backends that say where a state is
// kept. The others say how to get there, and may be secrets.
var locations = []string{
	"address", "bucket", "container_name", "hostname", "instance_name", "key", "name", "namespace", "organization", "path", "prefix",
	"project", "schema_name", "secret_suffix", "storage_account_name", "table", "workspace_dir", "workspace_key_prefix", "workspaces",
}

// Name is the configured name or, if that is empty: that of the environment;
// the organization and workspace of HCP Terraform
// (https://developer.hashicorp.com/terraform/cloud-docs/workspaces/run/run-environment);
// what kind of backend keeps the state, and a digest of where; the host, and a
// digest of the directory. One of the last two ends in the workspace if that
// is not the default one.
func Name(configured string, s Surroundings) string {
	for _, name := range []string{configured, s.Env(Variable), s.Env("TFC_WORKSPACE_SLUG")} {
		if name = strings.TrimSpace(name); name != "" {
			return name
		}
	}
	directory, err := s.Directory()
	if err != nil {
		directory = "." // removed while Terraform runs
	}
	data := s.Env("TF_DATA_DIR")
	if data == "" {
		data = ".terraform"
	}
	if !filepath.IsAbs(data) {
		data = filepath.Join(directory, data)
	}
	kind, place := backend(data, s)
	if place == "" || kind == "local" {
		if kind, err = s.Hostname(); err != nil {
			kind = "localhost" // it tells hosts apart, if it can
		}
		place = directory + place
	}
	name := kind + "/" + digest(place)
	if workspace := s.workspace(data); workspace != "" {
		name += "/" + workspace
	}
	return name
}

// backend is what keeps the state and where, as far as that is no secret; both
// are empty where Terraform keeps it in the directory. Terraform writes down
// there which backend it has initialized.
func backend(data string, s Surroundings) (kind, place string) {
	text, err := s.ReadFile(filepath.Join(data, "terraform.tfstate"))
	if err != nil {
		return "", ""
	}
	var initialized struct {
		Backend struct {
			Type   string         `json:"type"`
			Config map[string]any `json:"config"`
		} `json:"backend"`
	}
	if err := json.Unmarshal(text, &initialized); err != nil {
		return "", "" // not what Terraform writes
	}
	where := initialized.Backend.Config
	maps.DeleteFunc(where, func(setting string, value any) bool { return value == nil || !slices.Contains(locations, setting) })
	if len(where) == 0 {
		return initialized.Backend.Type, ""
	}
	key, err := json.Marshal(where) // with its keys in order
	if err != nil {
		return "", ""
	}
	return initialized.Backend.Type, string(key)
}

// workspace is the selected one, "" for the default.
func (s Surroundings) workspace(data string) string {
	workspace := s.Env("TF_WORKSPACE")
	if workspace == "" {
		text, err := s.ReadFile(filepath.Join(data, "environment"))
		if err != nil {
			return "" // none was ever selected
		}
		workspace = strings.TrimSpace(string(text))
	}
	if workspace == "default" {
		return ""
	}
	return workspace
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:6])
}
