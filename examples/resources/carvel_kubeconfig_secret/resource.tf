# The rights of a ServiceAccount. The token is made on the run cluster and is
# not kept in the state.
resource "carvel_kubeconfig_secret" "staging" {
  run_cluster = "staging"
  namespace   = "dev"

  service_account = {
    namespace = carvel_run_namespace.apps.name
    name      = carvel_run_namespace.apps.service_account_name
  }
}

# A kubeconfig from elsewhere, which is not kept in the state either. It is
# written again when kubeconfig_wo_version changes.
variable "edge_kubeconfig" {
  type      = string
  sensitive = true
  ephemeral = true
}

resource "carvel_kubeconfig_secret" "edge" {
  run_cluster           = "edge"
  namespace             = "dev"
  kubeconfig_wo         = var.edge_kubeconfig
  kubeconfig_wo_version = "1"
}
