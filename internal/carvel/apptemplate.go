package carvel

import (
	"fmt"
	"strings"
)

// Template is one step; exactly one field is set.
type Template struct {
	Ytt          *Ytt          `json:"ytt,omitempty"`
	Kbld         *Kbld         `json:"kbld,omitempty"`
	HelmTemplate *HelmTemplate `json:"helmTemplate,omitempty"`
	Cue          *Cue          `json:"cue,omitempty"`
	Sops         *Sops         `json:"sops,omitempty"`
}

// Ytt is the ytt step. Without options it passes plain YAML through.
type Ytt struct {
	IgnoreUnknownComments bool         `json:"ignoreUnknownComments,omitempty"`
	Strict                bool         `json:"strict,omitempty"`
	Inline                *Inline      `json:"inline,omitempty"`
	Paths                 []string     `json:"paths,omitempty"`
	FileMarks             []string     `json:"fileMarks,omitempty"`
	ValuesFrom            []ValuesFrom `json:"valuesFrom,omitempty"`
}

// Kbld resolves the references of images to digests.
type Kbld struct {
	Paths []string `json:"paths,omitempty"`
}

// HelmTemplate renders a chart.
type HelmTemplate struct {
	Name              string        `json:"name,omitempty"`
	Namespace         string        `json:"namespace,omitempty"`
	Path              string        `json:"path,omitempty"`
	ValuesFrom        []ValuesFrom  `json:"valuesFrom,omitempty"`
	KubernetesVersion *GivenVersion `json:"kubernetesVersion,omitempty"`
	KubernetesAPIs    *GivenAPIs    `json:"kubernetesAPIs,omitempty"`
}

// Cue evaluates CUE files.
type Cue struct {
	Paths            []string     `json:"paths,omitempty"`
	ValuesFrom       []ValuesFrom `json:"valuesFrom,omitempty"`
	InputExpression  string       `json:"inputExpression,omitempty"`
	OutputExpression string       `json:"outputExpression,omitempty"`
}

// Sops decrypts files in place; exactly one of PGP and Age is set.
type Sops struct {
	PGP   *PrivateKeys `json:"pgp,omitempty"`
	Age   *PrivateKeys `json:"age,omitempty"`
	Paths []string     `json:"paths,omitempty"`
}

// PrivateKeys names the Secret that holds them, under any keys.
type PrivateKeys struct {
	PrivateKeysSecretRef *LocalRef `json:"privateKeysSecretRef,omitempty"`
}

// ValuesFrom is a source of values; exactly one field is set.
type ValuesFrom struct {
	SecretRef    *LocalRef    `json:"secretRef,omitempty"`
	ConfigMapRef *LocalRef    `json:"configMapRef,omitempty"`
	Path         string       `json:"path,omitempty"`
	DownwardAPI  *DownwardAPI `json:"downwardAPI,omitempty"`
}

// DownwardAPI makes values of the App and of the cluster.
type DownwardAPI struct {
	Items []DownwardItem `json:"items,omitempty"`
}

// DownwardItem is one value; exactly one field beside Name is set.
type DownwardItem struct {
	Name                  string        `json:"name"`
	FieldPath             string        `json:"fieldPath,omitempty"`
	KubernetesVersion     *GivenVersion `json:"kubernetesVersion,omitempty"`
	KappControllerVersion *GivenVersion `json:"kappControllerVersion,omitempty"`
	KubernetesAPIs        *GivenAPIs    `json:"kubernetesAPIs,omitempty"`
}

// GivenVersion is a version to use in place of the cluster's own, which an empty
// one stands for.
type GivenVersion struct {
	Version string `json:"version,omitempty"`
}

// GivenAPIs are API groups and versions to use in place of the cluster's own.
type GivenAPIs struct {
	GroupVersions []string `json:"groupVersions,omitempty"`
}

// ValidateFieldPath checks a field of the App that is made a value of.
func ValidateFieldPath(field string) error {
	short := strings.TrimPrefix(field, "metadata.")
	for _, known := range []string{"namespace", "name", "uid", "labels", "annotations"} {
		rest, ok := strings.CutPrefix(short, known)
		if ok && (rest == "" || known == "labels" || known == "annotations") {
			return nil
		}
	}
	return fmt.Errorf("%q is not metadata.name, metadata.namespace, metadata.uid, metadata.labels or metadata.annotations", field)
}

// ValidateFileMark checks a mark such as config/**/*.txt:type=text-plain.
func ValidateFileMark(mark string) error {
	file, option, found := strings.Cut(mark, ":")
	if !found || file == "" || !strings.Contains(option, "=") {
		return fmt.Errorf("%q does not have the form PATH:NAME=VALUE", mark)
	}
	return nil
}

// ValidateTemplatePath checks a path that a step reads; - is what the step
// before has put out.
func ValidateTemplatePath(p string) error {
	if p == previous {
		return nil
	}
	return ValidateFilePath(p)
}
