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
variable "create_namespace" {
  type    = bool
  default = null
}
variable "image_pull_secrets" {
  type    = list(string)
  default = null
}
variable "additional_rules" {
  type    = any
  default = null
}
variable "restrict_service_accounts" {
  type    = object({ allowed = optional(list(string)) })
  default = null
}
variable "limited" {
  type    = any
  default = { host = "https://127.0.0.1:1" }
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
    limited = var.limited
    down    = { host = "https://127.0.0.1:1", token = "none" }
  }
}

resource "carvel_run_namespace" "test" {
  run_cluster          = var.run_cluster
  name                 = coalesce(var.namespace, var.name)
  labels               = var.labels
  service_account_name = var.service_account_name
  create_namespace     = var.create_namespace
  image_pull_secrets   = var.image_pull_secrets
  additional_rules     = var.additional_rules
  adopt_existing       = var.adopt_existing
  field_manager        = var.field_manager
  timeouts             = var.timeouts

  restrict_service_accounts = var.restrict_service_accounts
}
