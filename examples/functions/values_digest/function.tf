locals {
  billing_values = { replicas = 2, hostname = "billing.staging.example.com" }
}

# To be compared with values_digest of data.carvel_package_installs.
output "billing_values_digest" {
  value = provider::carvel::values_digest("billing.default.tap", local.billing_values)
}
