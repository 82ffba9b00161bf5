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
variable "build_namespace" {
  type    = string
  default = null
}
variable "type" {
  type    = string
  default = null
}
variable "token_source" {
  type    = string
  default = null
}
variable "expiration_seconds" {
  type    = number
  default = null
}
variable "server" {
  type    = string
  default = null
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
  namespace     = coalesce(var.build_namespace, var.name)
  name          = var.secret_name
  key           = var.key
  type          = var.type
  labels        = var.labels
  field_manager = { force_conflicts = var.force }
  service_account = {
    namespace          = carvel_run_namespace.test.name
    name               = carvel_run_namespace.test.service_account_name
    server             = var.server
    token_source       = var.token_source
    expiration_seconds = var.expiration_seconds
  }
}
