variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "recipients" {
  type    = list(string)
  default = null
}
variable "version_constraint" {
  type    = string
  default = "1.0.0"
}
variable "values" { type = any }
variable "values_wo" {
  type    = any
  default = null
}
variable "hash_values_name" {
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

resource "carvel_package_install" "test" {
  package              = var.package
  run_cluster          = "staging"
  service_account_name = "${var.name}-sa"
  version_constraint   = var.version_constraint
  values               = var.values
  values_wo            = var.values_wo
  hash_values_name     = var.hash_values_name
  encryption           = var.recipients == null ? null : { age_recipients = var.recipients }
}
