resource "carvel_package_install" "app" {
  package              = "app.default.tap"
  run_cluster          = "staging"
  service_account_name = carvel_run_namespace.apps.service_account_name
  version_constraint   = ">=1.0.0 <2.0.0"

  values = {
    workload_name = "app"
    replicas      = 2
    hostname      = "app.staging.example.com"
  }
}
