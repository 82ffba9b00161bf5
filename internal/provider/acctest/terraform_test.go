package acctest

import "testing"

func TestCapability(t *testing.T) {
	for _, c := range []struct {
		capability Capability
		said, lack string
	}{
		{Identity, "Terraform v1.11.4\non linux_amd64\n", "Terraform 1.11.4 has no resource identities, which begin with 1.12.0"},
		{Identity, "Terraform v1.14.0\n", ""},
		{Identity, "Terraform v1.12.0-rc1\n", ""},
		{Identity, "OpenTofu v1.12.6\n", ""},
		{Actions, "Terraform v1.11.4\n", "Terraform 1.11.4 has no actions, which begin with 1.14.0"},
		{Actions, "Terraform v1.16.4\n\nYour version of Terraform is out of date!\n", ""},
		{ListQueries, "OpenTofu v1.14.0\n", "OpenTofu 1.14.0 has no list resources"},
		{WriteOnly, "OpenTofu v1.12.6\n", ""},
		{WriteOnly, "OpenTofu v1.10.9\n", "OpenTofu 1.10.9 has no ephemeral resources and write-only attributes, which begin with 1.11.0"},
		{Functions, "OpenTofu v1.7.1\n", ""},
	} {
		b, err := parseBuild(c.said)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.capability.lack(b); got != c.lack {
			t.Errorf("%s of %s: got %q, want %q", c.capability.name, b, got, c.lack)
		}
	}
}

func TestParseBuild(t *testing.T) {
	for _, said := range []string{"", "terraform\n", "Terraform version unknown\n"} {
		if b, err := parseBuild(said); err == nil {
			t.Errorf("%q: got %s", said, b)
		}
	}
}
