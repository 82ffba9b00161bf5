resource "carvel_run_namespace" "staging" {
  run_cluster = "staging"
  name        = "apps"
}

# A token that is good for a day, with just the rights of the namespace's
# ServiceAccount.
ephemeral "carvel_kubeconfig" "staging" {
  run_cluster          = "staging"
  namespace            = carvel_run_namespace.staging.name
  service_account_name = carvel_run_namespace.staging.service_account_name
  expiration_seconds   = 86400
}

# Written to the build cluster, and to no state. Change the version to have
# another token written.
resource "carvel_kubeconfig_secret" "staging" {
  run_cluster           = "staging"
  namespace             = "dev"
  kubeconfig_wo         = ephemeral.carvel_kubeconfig.staging.kubeconfig
  kubeconfig_wo_version = "2026-11-01"
}

# Or used by another provider.
provider "kubernetes" {
  host                   = ephemeral.carvel_kubeconfig.staging.server
  token                  = ephemeral.carvel_kubeconfig.staging.token
  cluster_ca_certificate = ephemeral.carvel_kubeconfig.staging.cluster_ca_certificate
}
