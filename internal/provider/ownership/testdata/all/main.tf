variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "keys" {
  type    = set(string)
  default = ["a"]
}
variable "adopt_existing" {
  type    = bool
  default = null
}
variable "delete_adopted" {
  type    = bool
  default = null
}
variable "labels" {
  type    = map(string)
  default = null
}
variable "field_manager" {
  type    = any
  default = null
}
variable "on_destroy" {
  type    = string
  default = null
}
variable "sub_path" {
  type    = string
  default = null
}
variable "staging_host" {
  type    = string
  default = null
}
variable "build_host" {
  type    = string
  default = null
}

provider "carvel" {
  git = {
    http = { certificate_authority = var.git_ca }
  }
  build_cluster = { host = var.build_host }
  run_clusters = {
    staging = {
      config_path = var.staging_host == null ? var.staging_kubeconfig : null
      host        = var.staging_host
      token       = var.staging_host == null ? null : "none"
    }
  }
}

resource "carvel_run_namespace" "test" {
  for_each = var.keys

  run_cluster    = "staging"
  name           = var.name
  labels         = var.labels
  adopt_existing = var.adopt_existing
  delete_adopted = var.delete_adopted
  field_manager  = var.field_manager
}

resource "carvel_package_install" "test" {
  for_each = var.keys

  package              = var.package
  run_cluster          = "staging"
  service_account_name = carvel_run_namespace.test[each.key].service_account_name
  version_constraint   = "1.0.0"
  labels               = var.labels
  values               = { greeting = "hello" }
  adopt_existing       = var.adopt_existing
}

resource "carvel_kubeconfig_secret" "test" {
  for_each = var.keys

  run_cluster    = "staging"
  namespace      = var.name
  labels         = var.labels
  adopt_existing = var.adopt_existing
  field_manager  = var.field_manager
  service_account = {
    namespace = carvel_run_namespace.test[each.key].name
    name      = carvel_run_namespace.test[each.key].service_account_name
    server    = yamldecode(file(var.staging_kubeconfig)).clusters[0].cluster.server
  }
}

resource "carvel_app" "test" {
  for_each = var.keys

  namespace = var.name
  name      = "${var.name}-app"
  labels    = var.labels
  cluster = {
    namespace             = carvel_run_namespace.test[each.key].name
    kubeconfig_secret_ref = { name = carvel_kubeconfig_secret.test[each.key].name }
  }
  run_cluster = carvel_package_install.test[each.key].run_cluster
  packages    = var.sub_path == null ? [var.package] : null
  fetch       = var.sub_path == null ? null : [{ git = { sub_path = var.sub_path } }]

  git_secret_ref   = { name = "git" }
  wait_for_commits = [carvel_package_install.test[each.key].commit]
  adopt_existing   = var.adopt_existing
  field_manager    = var.field_manager
  on_destroy       = var.on_destroy
}
