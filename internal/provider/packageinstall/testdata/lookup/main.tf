variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "package_name" {
  type    = string
  default = null
}
variable "version_constraint" {
  type    = string
  default = ">=0.0.0"
}
variable "prereleases" {
  type    = object({ identifiers = optional(list(string)) })
  default = null
}
variable "allow_downgrade" {
  type    = bool
  default = null
}
variable "package_source" {
  type    = string
  default = null
}
variable "namespace" {
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
  type    = any
  default = null
}
variable "extra_values_secrets" {
  type    = list(string)
  default = null
}
variable "later" {
  description = "Take the values and the constraint from something that is made by the same run."
  type        = bool
  default     = false
}

provider "carvel" {
  git = {
    http = { certificate_authority = var.git_ca }
  }
  run_clusters = {
    staging = { config_path = var.staging_kubeconfig }
    prod    = { config_path = var.prod_kubeconfig }
    down    = { host = "https://127.0.0.1:1", token = "none" }
  }
}

resource "terraform_data" "later" {
  input = { constraint = var.version_constraint, values = var.values }
}

resource "carvel_package_install" "test" {
  package              = coalesce(var.package_name, var.package)
  run_cluster          = var.package_source == "down" ? "down" : "staging"
  namespace            = var.namespace
  service_account_name = "${var.name}-sa"
  version_constraint   = var.later ? terraform_data.later.output.constraint : var.version_constraint
  prereleases          = var.prereleases
  allow_downgrade      = var.allow_downgrade
  package_source       = var.package_source == "down" ? "cluster" : var.package_source
  values               = var.later ? terraform_data.later.output.values : var.values
  values_yaml          = var.values_yaml
  values_wo            = var.values_wo
  extra_values_secrets = var.extra_values_secrets
}
