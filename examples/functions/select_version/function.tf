locals {
  billing_versions = ["2.0.0", "2.1.0", "3.0.0-rc.1"]
}

# 2.1.0
output "billing_newest" {
  value = provider::carvel::select_version(local.billing_versions, ">=2.0.0")
}

# 3.0.0-rc.1
output "billing_candidate" {
  value = provider::carvel::select_version(local.billing_versions, ">=2.0.0", "rc")
}

# null, if no version is allowed
output "billing_next" {
  value = try(provider::carvel::select_version(local.billing_versions, ">=4.0.0"), null)
}
