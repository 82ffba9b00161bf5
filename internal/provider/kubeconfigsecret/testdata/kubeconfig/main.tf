variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "kubeconfig" {
  type    = string
  default = null
}
variable "kubeconfig_wo" {
  type    = string
  default = null
}
variable "kubeconfig_wo_version" {
  type    = string
  default = null
}
variable "type" {
  type    = string
  default = null
}
variable "labels" {
  type    = map(string)
  default = null
}
variable "adopt_existing" {
  type    = bool
  default = null
}
variable "namespace" {
  type    = string
  default = null
}

provider "carvel" {}

resource "carvel_kubeconfig_secret" "test" {
  run_cluster           = "elsewhere"
  namespace             = coalesce(var.namespace, var.name)
  kubeconfig            = var.kubeconfig
  kubeconfig_wo         = var.kubeconfig_wo
  kubeconfig_wo_version = var.kubeconfig_wo_version
  type                  = var.type
  labels                = var.labels
  adopt_existing        = var.adopt_existing
}
