variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}
variable "size" { type = number }
variable "value" { type = string }
variable "recipient" { type = string }

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
  deliveries = { for i in range(var.size) : format("%02d", i) => i % 2 == 0 ? "staging" : "prod" }
  timeouts   = { create = "5m", update = "5m", delete = "5m" }
}

resource "carvel_run_namespace" "test" {
  for_each = local.deliveries

  run_cluster = each.value
  name        = "${var.name}-${each.key}"
  labels      = { step = var.value }
  timeouts    = local.timeouts
}

resource "carvel_package_install" "test" {
  for_each = local.deliveries

  package              = "p${each.key}.${var.package}"
  run_cluster          = each.value
  service_account_name = carvel_run_namespace.test[each.key].service_account_name
  version_constraint   = "1.0.0"
  values               = { value = var.value }
  timeouts             = local.timeouts
}

resource "carvel_kubeconfig_secret" "test" {
  for_each = local.deliveries

  run_cluster = each.value
  namespace   = var.name
  name        = "kubeconfig-${each.key}"
  labels      = { step = var.value }
  service_account = {
    namespace = carvel_run_namespace.test[each.key].name
    name      = carvel_run_namespace.test[each.key].service_account_name
  }
  timeouts = local.timeouts
}

resource "carvel_app" "test" {
  for_each = local.deliveries

  namespace   = var.name
  name        = "app-${each.key}"
  labels      = { step = var.value }
  run_cluster = each.value
  packages    = [carvel_package_install.test[each.key].package]
  cluster = {
    namespace             = carvel_run_namespace.test[each.key].name
    kubeconfig_secret_ref = { name = carvel_kubeconfig_secret.test[each.key].name }
  }
  git_secret_ref   = { name = "git" }
  wait_for_commits = [carvel_package_install.test[each.key].commit]
  timeouts         = local.timeouts
}
