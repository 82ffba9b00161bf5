variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "password" { type = string }

provider "carvel" {
  git          = { http = { certificate_authority = var.git_ca } }
  run_clusters = { staging = { config_path = var.staging_kubeconfig } }
}

resource "terraform_data" "password" {
  input = var.password
}

resource "carvel_package_install" "test" {
  package              = var.package
  run_cluster          = "staging"
  service_account_name = "sa"
  version_constraint   = "1.0.0"
  values_wo            = { password = terraform_data.password.output }
}
