# terraform apply -invoke=action.carvel_kubeconfig_secret_rotate.staging
action "carvel_kubeconfig_secret_rotate" "staging" {
  config {
    run_cluster = "staging"
    namespace   = carvel_kubeconfig_secret.staging.namespace
    name        = carvel_kubeconfig_secret.staging.name
  }
}

# Or once a quarter, with its first apply.
resource "terraform_data" "quarter" {
  input = formatdate("YYYY", plantimestamp()) * 4 + floor((formatdate("M", plantimestamp()) - 1) / 3)

  lifecycle {
    action_trigger {
      events  = [after_update]
      actions = [action.carvel_kubeconfig_secret_rotate.staging]
    }
  }
}
