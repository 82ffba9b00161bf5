variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "run_cluster" {
  type    = string
  default = "staging"
}
variable "namespace" {
  type    = string
  default = null
}
variable "labels" {
  type    = map(string)
  default = null
}
variable "service_account_name" {
  type    = string
  default = null
}
variable "adopt_existing" {
  type    = bool
  default = null
}
variable "field_manager" {
  type    = any
  default = null
}
variable "timeouts" {
  type    = any
  default = null
}

provider "carvel" {
  run_clusters = {
    staging = { config_path = var.staging_kubeconfig }
    prod    = { config_path = var.prod_kubeconfig }
    down    = { host = "https://127.0.0.1:1", token = "none" }
  }
}

resource "carvel_run_namespace" "test" {
  run_cluster          = var.run_cluster
  name                 = coalesce(var.namespace, var.name)
  labels               = var.labels
  service_account_name = var.service_account_name
  adopt_existing       = var.adopt_existing
  field_manager        = var.field_manager
  timeouts             = var.timeouts
}
