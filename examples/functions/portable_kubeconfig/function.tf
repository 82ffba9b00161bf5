variable "edge_kubeconfig" {
  description = "Kubeconfig of the run cluster. Being ephemeral, it is in no plan and no state."
  type        = string
  ephemeral   = true
}

# The result is ephemeral as well. An exec plugin or a certificate's path in the
# kubeconfig stops the plan.
resource "carvel_kubeconfig_secret" "edge" {
  run_cluster           = "edge"
  namespace             = "dev"
  kubeconfig_wo         = provider::carvel::portable_kubeconfig(var.edge_kubeconfig)
  kubeconfig_wo_version = "1"
}
