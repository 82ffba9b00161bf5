package carvel

import (
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/yamlsize"
)

// Deployed is what files of the repository put on a run cluster, as far as a
// wait looks at it.
type Deployed struct {
	Installs []DeployedInstall
	Secrets  []DeployedSecret
}

// DeployedInstall is a PackageInstall.
type DeployedInstall struct {
	Namespace, Name string   // of the file; the namespace may be empty
	Values          []string // names of Secrets in its spec
	// Extensions are its annotations that the controller acts upon; nil if they
	// are not known.
	Extensions map[string]string
	Stopped    bool // paused or canceled: nothing will happen
}

// Reads are the names of the Secrets that its App reads.
func (d DeployedInstall) Reads() []string {
	names := append(slices.Clone(d.Values), ExtensionSecrets(d.Extensions)...)
	slices.Sort(names)
	return slices.Compact(names)
}

// DeployedSecret is a Secret.
type DeployedSecret struct {
	Name string
	Data map[string]string // nil: it is not known what it will hold
}

// ReadDeployed reads a YAML file. What is no plain YAML, such as a template of
// ytt, is passed over: what it will be is not known. encrypted tells that the
// file is decrypted on its way.
func ReadDeployed(file []byte, encrypted bool) Deployed {
	var d Deployed
	for _, document := range documents(file) {
		var object struct {
			Kind     string `json:"kind"`
			Metadata struct {
				Namespace string `json:"namespace"`
				Name      string `json:"name"`
			} `json:"metadata"`
		}
		if unmarshalYAML(document, &object) != nil || object.Metadata.Name == "" {
			continue
		}
		switch object.Kind {
		case "PackageInstall":
			install := DeployedInstall{Namespace: object.Metadata.Namespace, Name: object.Metadata.Name}
			if install.read(document) {
				d.Installs = append(d.Installs, install)
			}
		case "Secret":
			secret := DeployedSecret{Name: object.Metadata.Name}
			if s, err := ReadSecretFile(document); err == nil && !encrypted && !strings.Contains(string(document), "#@") {
				secret.Data, _ = s.Texts() // nil for one that cannot be read
			}
			d.Secrets = append(d.Secrets, secret)
		}
	}
	return d
}

func (d *DeployedInstall) read(document []byte) bool {
	var object struct {
		Metadata struct {
			Annotations map[string]string `json:"annotations"`
		} `json:"metadata"`
		Spec struct {
			Paused   bool `json:"paused"`
			Canceled bool `json:"canceled"`
			Values   []struct {
				SecretRef *LocalRef `json:"secretRef"`
			} `json:"values"`
		} `json:"spec"`
	}
	if unmarshalYAML(document, &object) != nil {
		return false
	}
	d.Extensions = extensions(object.Metadata.Annotations)
	d.Stopped = object.Spec.Paused || object.Spec.Canceled
	for _, v := range object.Spec.Values {
		if v.SecretRef != nil {
			d.Values = append(d.Values, v.SecretRef.Name)
		}
	}
	return true
}

// DeployedNamespace is where an object goes that names a namespace, or none:
// "" if that only the kubeconfig tells.
func DeployedNamespace(s AppSpec, named string) string {
	var kapp Kapp
	if len(s.Deploy) == 1 && s.Deploy[0].Kapp != nil {
		kapp = *s.Deploy[0].Kapp
	}
	namespace := named
	if namespace == "" {
		namespace = s.DefaultNamespace
	}
	if namespace == "" && s.Cluster != nil {
		namespace = s.Cluster.Namespace
	}
	if kapp.IntoNs != "" {
		return kapp.IntoNs
	}
	for _, mapping := range kapp.MapNs {
		if from, to, _ := strings.Cut(mapping, "="); from == namespace {
			return to
		}
	}
	return namespace
}

// PassesThrough reports whether plain YAML is deployed as it was fetched: no step
// changes it.
func (s AppSpec) PassesThrough() bool {
	for i, t := range s.Template {
		plain := t.Ytt != nil && t.Ytt.Inline == nil && len(t.Ytt.FileMarks) == 0 && len(t.Ytt.ValuesFrom) == 0 &&
			(len(t.Ytt.Paths) == 0 || i == firstReader(s.Template)) // what a later step reads beside its input may be overlays
		if !plain && t.Sops == nil && t.Kbld == nil {
			return false
		}
	}
	for _, f := range s.Fetch {
		if f.Git == nil {
			return false // it may hold overlays
		}
	}
	return true
}

// unmarshalYAML is yaml.Unmarshal of a text that somebody else has written.
func unmarshalYAML(text []byte, into any) error {
	return yamlsize.Read(text, func(text []byte) error { return yaml.Unmarshal(text, into) })
}
