variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "one" {
  type    = number
  default = null
}
variable "two" {
  type    = number
  default = null
}
variable "adopt_existing" {
  type    = bool
  default = null
}

provider "carvel" {
  git          = { http = { certificate_authority = var.git_ca } }
  run_clusters = { staging = { config_path = var.staging_kubeconfig } }
}

resource "carvel_package_install" "one" {
  count = var.one == null ? 0 : 1

  package              = var.package
  run_cluster          = "staging"
  service_account_name = "sa"
  version_constraint   = "1.0.0"
  values               = { replicas = var.one }
  adopt_existing       = var.adopt_existing
}

resource "carvel_package_install" "two" {
  count = var.two == null ? 0 : 1

  package              = var.package
  run_cluster          = "staging"
  service_account_name = "sa"
  version_constraint   = "1.0.0"
  values               = { replicas = var.two }
  adopt_existing       = var.adopt_existing
}
