package health

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
)

// ObserveSecret compares a Secret on a cluster, nil if it is missing, with
// what it is to hold.
func ObserveSecret(wanted carvel.DeployedSecret, live *unstructured.Unstructured) ObservedSecret {
	o := ObservedSecret{Name: wanted.Name, Missing: live == nil}
	if live == nil {
		return o
	}
	o.Written = dataWritten(live)
	o.New = o.Written.Equal(live.GetCreationTimestamp().Time)
	o.Revision, o.Content = carvel.Revision(live), secretContent(live)
	if wanted.Data == nil {
		return o
	}
	keys := carvel.SecretKeys(live)
	o.Differs = len(keys) != len(wanted.Data)
	for _, key := range keys {
		value, _ := carvel.SecretValue(live, key)
		if text, ok := wanted.Data[key]; !ok || text != string(value) {
			o.Differs = true
		}
	}
	return o
}

// secretContent tells one content of a Secret from another, without telling it.
func secretContent(live *unstructured.Unstructured) string {
	digest := sha256.New()
	for _, key := range carvel.SecretKeys(live) {
		value, _ := carvel.SecretValue(live, key)
		fmt.Fprintf(digest, "%q %d\n", key, len(value))
		digest.Write(value)
	}
	return string(live.GetUID()) + hex.EncodeToString(digest.Sum(nil))
}

// dataWritten is when the values of a Secret were last written, to the second:
// when it was created, if nothing tells.
func dataWritten(secret *unstructured.Unstructured) time.Time {
	last := secret.GetCreationTimestamp().Time
	for _, entry := range secret.GetManagedFields() {
		if entry.Time == nil || entry.FieldsV1 == nil {
			continue
		}
		var fields struct {
			Data map[string]any `json:"f:data"`
		}
		if json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields) != nil || fields.Data == nil {
			continue // it has written something else
		}
		if entry.Time.After(last) {
			last = entry.Time.Time
		}
	}
	return last
}
