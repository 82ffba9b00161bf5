variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "run_cluster" { type = string }
variable "keys" { type = set(string) }
variable "hostname" { type = string }
variable "constraint" { type = string }
variable "overlay" { type = string }
variable "extra" { type = string }
variable "hash_values_name" { type = bool }

locals {
  kubeconfig = { staging = var.staging_kubeconfig, prod = var.prod_kubeconfig }[var.run_cluster]
}

provider "carvel" {
  git = {
    http = { certificate_authority = var.git_ca }
  }
  run_clusters = {
    (var.run_cluster) = { config_path = local.kubeconfig }
  }
}

resource "carvel_run_namespace" "test" {
  for_each = var.keys

  run_cluster = var.run_cluster
  name        = "${var.name}-${each.key}"
}

resource "carvel_package_install" "test" {
  for_each = var.keys

  package              = "${each.key}.${var.package}"
  run_cluster          = var.run_cluster
  name                 = "app"
  service_account_name = carvel_run_namespace.test[each.key].service_account_name
  version_constraint   = var.constraint
  allow_downgrade      = true
  hash_values_name     = var.hash_values_name
  values               = { hostname = var.hostname }
  ytt_overlays = {
    "overlay.yaml" = <<-EOT
      #@ load("@ytt:overlay", "overlay")
      #@overlay/match by=overlay.all
      ---
      data:
        #@overlay/match missing_ok=True
        overlay: ${var.overlay}
    EOT
  }
  annotations = { "ext.packaging.carvel.dev/ytt-paths-from-secret-name.extra" = var.extra }
}

resource "carvel_kubeconfig_secret" "test" {
  for_each = var.keys

  run_cluster = var.run_cluster
  namespace   = var.name
  name        = "kubeconfig-${each.key}"
  service_account = {
    namespace = carvel_run_namespace.test[each.key].name
    name      = carvel_run_namespace.test[each.key].service_account_name
    server    = yamldecode(file(local.kubeconfig)).clusters[0].cluster.server
  }
}

resource "carvel_app" "test" {
  for_each = var.keys

  namespace = var.name
  name      = "${var.name}-${each.key}"
  cluster = {
    namespace             = carvel_run_namespace.test[each.key].name
    kubeconfig_secret_ref = { name = carvel_kubeconfig_secret.test[each.key].name }
  }
  run_cluster      = var.run_cluster
  packages         = [carvel_package_install.test[each.key].package]
  git_secret_ref   = { name = "git" }
  wait_for_commits = [carvel_package_install.test[each.key].commit]
}
