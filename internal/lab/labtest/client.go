package labtest

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"testing"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
)

// Client returns an administrator's client for a cluster of the lab, with a
// rate limit that a parallel test run does not reach.
func Client(t testing.TB, cluster lab.Cluster) dynamic.Interface {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", cluster.Kubeconfig)
	if err != nil {
		t.Fatalf("kubeconfig of cluster %q: %v", cluster.Name, err)
	}
	config.QPS, config.Burst = 500, 1000
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatalf("client of cluster %q: %v", cluster.Name, err)
	}
	return client
}

// Name returns a DNS label that no other test uses, such as
// "app-basic-3f9a1c20": at most 29 characters, made of the end of the test's
// name and a random suffix, so that suffixes like -values still fit.
func Name(t testing.TB) string {
	t.Helper()
	random := make([]byte, 4)
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(t.Name(), "TestAcc")
	label := strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return '-'
	}, name)
	if len(label) > 20 {
		label = label[len(label)-20:]
	}
	label = strings.Trim(label, "-0123456789")
	if label == "" {
		label = "t"
	}
	return label + "-" + hex.EncodeToString(random)
}
