variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "values" {
  type    = any
  default = null
}
variable "values_yaml" {
  type    = list(string)
  default = null
}
variable "values_wo" {
  type      = any
  sensitive = true
  default   = null
}
variable "values_wo_version" {
  type    = string
  default = null
}
variable "hash_values_name" {
  type    = bool
  default = null
}
variable "extra_values_secrets" {
  type    = list(string)
  default = null
}
variable "service_account_name" {
  type    = string
  default = "sa"
}
variable "cluster" {
  type    = any
  default = null
}
variable "namespace" {
  type    = string
  default = null
}
variable "labels" {
  type    = map(string)
  default = null
}
variable "annotations" {
  type    = map(string)
  default = null
}
variable "prereleases" {
  type    = any
  default = null
}
variable "allow_downgrade" {
  type    = bool
  default = null
}
variable "sync_period" {
  type    = string
  default = null
}
variable "paused" {
  type    = bool
  default = null
}
variable "canceled" {
  type    = bool
  default = null
}
variable "noop_delete" {
  type    = bool
  default = null
}
variable "default_namespace" {
  type    = string
  default = null
}
variable "ytt_overlays" {
  type    = map(string)
  default = null
}
variable "extensions" {
  type = object({
    ignore_kubernetes_version_selection      = optional(bool)
    ignore_kapp_controller_version_selection = optional(bool)
    ytt_data_values_overlays                 = optional(bool)
    helm_template_name                       = optional(string)
    helm_template_namespace                  = optional(string)
    helm_template_values_secrets             = optional(list(string))
    fetch_secrets                            = optional(map(string))
  })
  default = null
}
variable "adopt_existing" {
  type    = bool
  default = null
}
variable "install_name" {
  type    = string
  default = null
}
variable "values_secret_name" {
  type    = string
  default = null
}
variable "version_constraint" {
  type    = string
  default = ">=1.0.0"
}

provider "carvel" {
  git          = { http = { certificate_authority = var.git_ca } }
  run_clusters = { staging = { config_path = var.staging_kubeconfig } }
}

resource "carvel_package_install" "test" {
  package              = var.package
  run_cluster          = "staging"
  version_constraint   = var.version_constraint
  package_source       = "none"
  values               = var.values
  values_yaml          = var.values_yaml
  values_wo            = var.values_wo
  values_wo_version    = var.values_wo_version
  hash_values_name     = var.hash_values_name
  extra_values_secrets = var.extra_values_secrets
  service_account_name = var.service_account_name
  cluster              = var.cluster
  namespace            = var.namespace
  labels               = var.labels
  annotations          = var.annotations
  prereleases          = var.prereleases
  allow_downgrade      = var.allow_downgrade
  sync_period          = var.sync_period
  paused               = var.paused
  canceled             = var.canceled
  noop_delete          = var.noop_delete
  default_namespace    = var.default_namespace
  ytt_overlays         = var.ytt_overlays
  extensions           = var.extensions
  adopt_existing       = var.adopt_existing
  name                 = var.install_name
  values_secret_name   = var.values_secret_name
}
