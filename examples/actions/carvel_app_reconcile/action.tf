# terraform apply -invoke=action.carvel_app_reconcile.staging
action "carvel_app_reconcile" "staging" {
  config {
    namespace   = carvel_app.staging.namespace
    name        = carvel_app.staging.name
    run_cluster = "staging"
    timeout     = "5m"
  }
}

# Or each time that something changes which the App reads, and no commit tells of.
resource "terraform_data" "dashboards" {
  input = "2026-10"

  lifecycle {
    action_trigger {
      events  = [after_create, after_update]
      actions = [action.carvel_app_reconcile.staging]
    }
  }
}
