variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "key" {
  type    = string
  default = null
}
variable "secret_name" {
  type    = string
  default = null
}
variable "labels" {
  type    = map(string)
  default = null
}
variable "run_cluster" {
  type    = string
  default = "staging"
}
variable "force" {
  type    = bool
  default = null
}

provider "carvel" {
  run_clusters = {
    staging = { config_path = var.staging_kubeconfig }
    prod    = { config_path = var.prod_kubeconfig }
  }
}

resource "carvel_run_namespace" "test" {
  run_cluster = "staging"
  name        = var.name
}

resource "carvel_kubeconfig_secret" "test" {
  run_cluster   = var.run_cluster
  namespace     = var.name
  name          = var.secret_name
  key           = var.key
  labels        = var.labels
  field_manager = { force_conflicts = var.force }
  service_account = {
    namespace = carvel_run_namespace.test.name
    name      = carvel_run_namespace.test.service_account_name
  }
}
