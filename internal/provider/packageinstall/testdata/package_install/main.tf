variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "git_password" {
  type    = string
  default = null
}
variable "package_name" {
  type    = string
  default = null
}
variable "run_cluster" {
  type    = string
  default = "staging"
}
variable "version_constraint" {
  type    = string
  default = "1.0.0"
}
variable "values" {
  type    = any
  default = null
}
variable "sync_period" {
  type    = string
  default = null
}
variable "allow_downgrade" {
  type    = bool
  default = null
}
variable "adopt_existing" {
  type    = bool
  default = null
}
variable "on_destroy" {
  type    = string
  default = null
}

variable "path_prefix" {
  type    = string
  default = null
}

provider "carvel" {
  git = {
    path_prefix             = var.path_prefix
    commit_message_appendix = "Appendix of the test."
    http                    = { certificate_authority = var.git_ca, password = var.git_password }
  }
  run_clusters = {
    staging = { config_path = var.staging_kubeconfig }
    prod    = { config_path = var.prod_kubeconfig }
  }
}

resource "carvel_package_install" "test" {
  package              = coalesce(var.package_name, var.package)
  run_cluster          = var.run_cluster
  service_account_name = "${var.name}-sa"
  version_constraint   = var.version_constraint
  values               = var.values
  sync_period          = var.sync_period
  allow_downgrade      = var.allow_downgrade
  adopt_existing       = var.adopt_existing
  on_destroy           = var.on_destroy
}
