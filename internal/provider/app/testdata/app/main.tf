variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "app_name" {
  type    = string
  default = null
}
variable "content" {
  type    = string
  default = "one"
}
variable "sub_path" {
  type    = string
  default = null
}
variable "labels" {
  type    = map(string)
  default = null
}
variable "sync_period" {
  type    = string
  default = null
}
variable "raw_options" {
  type    = list(string)
  default = null
}
variable "ref" {
  type    = string
  default = null
}
variable "force" {
  type    = bool
  default = null
}
variable "adopt_existing" {
  type    = bool
  default = null
}
variable "service_account_name" {
  type    = string
  default = null
}
variable "build_host" {
  type    = string
  default = null
}
variable "timeouts" {
  type    = any
  default = null
}

provider "carvel" {
  git = {
    http = { certificate_authority = var.git_ca }
  }
  build_cluster = { host = var.build_host }
  run_clusters = {
    staging = { config_path = var.staging_kubeconfig }
  }
}

resource "carvel_run_namespace" "test" {
  run_cluster = "staging"
  name        = var.name
}

resource "carvel_kubeconfig_secret" "test" {
  count       = var.build_host == null ? 1 : 0
  run_cluster = "staging"
  namespace   = var.name
  service_account = {
    namespace = carvel_run_namespace.test.name
    name      = carvel_run_namespace.test.service_account_name
  }
}

locals {
  inline = { inline = { paths = { "config.yaml" = <<-EOT
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: ${var.name}
    data:
      content: ${var.content}
    EOT
  } } }
  git = { git = { sub_path = var.sub_path, ref = var.ref, secret_ref = { name = "git" } } }
}

resource "carvel_app" "test" {
  namespace            = var.name
  name                 = coalesce(var.app_name, var.name)
  labels               = var.labels
  service_account_name = var.service_account_name
  cluster = {
    namespace             = carvel_run_namespace.test.name
    kubeconfig_secret_ref = { name = "staging-kubeconfig" }
  }
  fetch          = concat([local.inline], [for g in [local.git] : g if var.sub_path != null])
  deploy         = var.raw_options == null ? null : { kapp = { raw_options = var.raw_options } }
  sync_period    = var.sync_period
  adopt_existing = var.adopt_existing
  field_manager  = { force_conflicts = var.force }
  timeouts       = var.timeouts
  depends_on     = [carvel_kubeconfig_secret.test]
}
