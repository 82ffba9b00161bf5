package carvel

import (
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/ytt"
)

// SecretFile is a Secret as a file has it.
type SecretFile struct {
	Name   string
	object map[string]any
}

// ReadSecretFile finds the Secret among the documents of a text.
func ReadSecretFile(data []byte) (SecretFile, error) {
	documents, err := ytt.Read(data)
	if err != nil {
		return SecretFile{}, err
	}
	for _, document := range documents {
		if s, ok := SecretOf(document); ok {
			return s, nil
		}
	}
	return SecretFile{}, errors.New("no Secret in it")
}

// SecretOf is a document as a Secret; ok is false if it is none.
func SecretOf(document any) (s SecretFile, ok bool) {
	m, _ := document.(map[string]any)
	metadata, _ := m["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	return SecretFile{Name: name, object: m}, m["kind"] == "Secret"
}

// Texts are the Secret's decoded values, stringData winning as in the API.
func (s SecretFile) Texts() (map[string]string, error) {
	texts := map[string]string{}
	for _, field := range []string{"data", "stringData"} {
		entries, ok := s.object[field].(map[string]any)
		if !ok && s.object[field] != nil {
			return nil, fmt.Errorf("%s is not a map", field)
		}
		for key, value := range entries {
			text, ok := value.(string)
			if !ok {
				return nil, fmt.Errorf("key %q of %s is not text", key, field)
			}
			if field == "data" {
				decoded, err := base64.StdEncoding.DecodeString(text)
				if err != nil {
					return nil, fmt.Errorf("key %q of data is not base64", key)
				}
				text = string(decoded)
			}
			texts[key] = text
		}
	}
	return texts, nil
}

// TextSecret builds a Secret of texts for a file, which an API server stores as data.
func TextSecret(namespace, name string, annotations, texts map[string]string) map[string]any {
	obj := object(Secrets, "Secret", namespace, name, nil, annotations)
	data := make(map[string]any, len(texts))
	for key, text := range texts {
		data[key] = text
	}
	obj.Object["stringData"] = data
	return obj.Object
}
