data "carvel_package" "app" {
  name               = "app.default.tap"
  version_constraint = ">=1.0.0 <2.0.0"
}

# Values to begin with: the package's own.
output "app_values" {
  value = yamlencode(data.carvel_package.app.default_values)
}

# Pins what the range selects today.
resource "carvel_package_install" "app_pinned" {
  package              = data.carvel_package.app.name
  run_cluster          = "prod"
  service_account_name = "apps-sa"
  version_constraint   = data.carvel_package.app.resolved_version
  values               = { workload_name = "app" }
}
