variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "version_constraint" {
  type    = string
  default = "1.0.0"
}
variable "allow_downgrade" {
  type    = bool
  default = null
}

provider "carvel" {
  git = {
    http = { certificate_authority = var.git_ca }
  }
  run_clusters = {
    staging = { config_path = var.staging_kubeconfig }
    prod    = { config_path = var.prod_kubeconfig }
  }
}

locals {
  clusters = ["staging", "prod"]
}

resource "carvel_run_namespace" "test" {
  count       = length(local.clusters)
  run_cluster = local.clusters[count.index]
  name        = "${var.name}-${local.clusters[count.index]}"
}

resource "carvel_package_install" "test" {
  count                = length(local.clusters)
  package              = var.package
  run_cluster          = local.clusters[count.index]
  service_account_name = carvel_run_namespace.test[count.index].service_account_name
  version_constraint   = var.version_constraint
  allow_downgrade      = var.allow_downgrade
  values               = { hostname = "${local.clusters[count.index]}.example.com" }
}

resource "carvel_kubeconfig_secret" "test" {
  count       = length(local.clusters)
  run_cluster = local.clusters[count.index]
  namespace   = var.name
  service_account = {
    namespace = carvel_run_namespace.test[count.index].name
    name      = carvel_run_namespace.test[count.index].service_account_name
  }
}

resource "carvel_app" "test" {
  count     = length(local.clusters)
  namespace = var.name
  name      = "${var.name}-${local.clusters[count.index]}"
  cluster = {
    namespace             = carvel_run_namespace.test[count.index].name
    kubeconfig_secret_ref = { name = carvel_kubeconfig_secret.test[count.index].name }
  }
  fetch = [
    { git = { sub_path = "${var.package}/packages", secret_ref = { name = "git" } } },
    { git = { sub_path = carvel_package_install.test[count.index].path, secret_ref = { name = "git" } } },
  ]
  wait_for_commits = [carvel_package_install.test[count.index].commit]
}
