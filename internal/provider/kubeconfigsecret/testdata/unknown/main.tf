variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}
variable "kubeconfig_wo" { type = string }

provider "carvel" {}

resource "terraform_data" "later" {
  input = var.kubeconfig_wo
}

resource "carvel_kubeconfig_secret" "test" {
  run_cluster           = "elsewhere"
  namespace             = var.name
  kubeconfig_wo         = terraform_data.later.output
  kubeconfig_wo_version = "1"
}
