# terraform apply -invoke=action.carvel_package_install_reconcile.app
action "carvel_package_install_reconcile" "app" {
  config {
    run_cluster = "staging"
    namespace   = carvel_run_namespace.apps.name
    name        = "app"
  }
}
