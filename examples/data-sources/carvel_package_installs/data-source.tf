# What runs on staging. Without namespace it would be the whole cluster.
data "carvel_package_installs" "staging" {
  run_cluster = "staging"
  namespace   = "apps"
}

locals {
  # Null if it is not installed.
  billing = one([
    for install in data.carvel_package_installs.staging.package_installs : install
    if install.package == "billing.default.tap"
  ])
}

# Production gets the version that has been healthy on staging for a day.
resource "carvel_package_install" "billing_prod" {
  package              = "billing.default.tap"
  run_cluster          = "prod"
  service_account_name = "apps-sa"
  version_constraint   = try(local.billing.version, null)

  lifecycle {
    precondition {
      condition     = provider::carvel::healthy_for(try(local.billing.ready_since, null), "24h", plantimestamp())
      error_message = "billing has not been healthy on staging for a day: ${try(local.billing.message, "it is not installed")}"
    }
  }
}

check "staging_is_healthy" {
  assert {
    condition     = alltrue(data.carvel_package_installs.staging.package_installs[*].ready)
    error_message = "Not healthy: ${join(", ", [for install in data.carvel_package_installs.staging.package_installs : install.name if !install.ready])}"
  }
}
