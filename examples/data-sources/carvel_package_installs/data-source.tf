# What runs on staging. Without namespace it would be the whole cluster.
data "carvel_package_installs" "staging" {
  run_cluster = "staging"
  namespace   = "apps"
}

locals {
  billing = one([
    for install in data.carvel_package_installs.staging.package_installs : install
    if install.package == "billing.default.tap"
  ])
}

# Production gets the version that is healthy on staging.
resource "carvel_package_install" "billing_prod" {
  package              = "billing.default.tap"
  run_cluster          = "prod"
  service_account_name = "apps-sa"
  version_constraint   = local.billing.version

  lifecycle {
    precondition {
      condition     = local.billing.ready
      error_message = "billing is not healthy on staging: ${local.billing.message}"
    }
  }
}

check "staging_is_healthy" {
  assert {
    condition     = alltrue(data.carvel_package_installs.staging.package_installs[*].ready)
    error_message = "Not healthy: ${join(", ", [for install in data.carvel_package_installs.staging.package_installs : install.name if !install.ready])}"
  }
}
