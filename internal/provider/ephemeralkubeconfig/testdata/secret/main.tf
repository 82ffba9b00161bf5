variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "kubeconfig_wo_version" { type = string }

provider "carvel" {
  run_clusters = {
    staging = { config_path = var.staging_kubeconfig }
  }
}

resource "carvel_run_namespace" "test" {
  run_cluster = "staging"
  name        = var.name
}

ephemeral "carvel_kubeconfig" "test" {
  run_cluster          = "staging"
  namespace            = carvel_run_namespace.test.name
  service_account_name = carvel_run_namespace.test.service_account_name
}

resource "carvel_kubeconfig_secret" "test" {
  run_cluster           = "staging"
  namespace             = var.name
  kubeconfig_wo         = ephemeral.carvel_kubeconfig.test.kubeconfig
  kubeconfig_wo_version = var.kubeconfig_wo_version
}

# Another configuration of the provider, with nothing but the ephemeral one.
provider "carvel" {
  alias = "limited"
  run_clusters = {
    staging = {
      host                   = ephemeral.carvel_kubeconfig.test.server
      token                  = ephemeral.carvel_kubeconfig.test.token
      cluster_ca_certificate = ephemeral.carvel_kubeconfig.test.cluster_ca_certificate
    }
  }
}

ephemeral "carvel_kubeconfig" "refused" {
  count                = var.kubeconfig_wo_version == "refused" ? 1 : 0
  provider             = carvel.limited
  run_cluster          = "staging"
  namespace            = carvel_run_namespace.test.name
  service_account_name = carvel_run_namespace.test.service_account_name
}
