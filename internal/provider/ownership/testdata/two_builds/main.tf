variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}
variable "green" {
  type    = bool
  default = true
}

# Blue and green are build clusters; both deliver to staging.
provider "carvel" {
  run_clusters = { staging = { config_path = var.staging_kubeconfig } }
}

provider "carvel" {
  alias         = "green"
  build_cluster = { config_path = var.prod_kubeconfig }
  run_clusters  = { staging = { config_path = var.staging_kubeconfig } }
}

resource "carvel_run_namespace" "test" {
  run_cluster = "staging"
  name        = var.name
}

resource "carvel_kubeconfig_secret" "blue" {
  run_cluster = "staging"
  namespace   = var.name
  service_account = {
    namespace = carvel_run_namespace.test.name
    name      = carvel_run_namespace.test.service_account_name
  }
}

resource "carvel_kubeconfig_secret" "green" {
  count    = var.green ? 1 : 0
  provider = carvel.green

  run_cluster = "staging"
  namespace   = var.name
  service_account = {
    namespace = carvel_run_namespace.test.name
    name      = carvel_run_namespace.test.service_account_name
  }
}
