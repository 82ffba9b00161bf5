variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
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

removed {
  from = carvel_kubeconfig_secret.test
  lifecycle { destroy = false }
}

import {
  to = carvel_kubeconfig_secret.again
  id = "${var.name}/staging-kubeconfig"
}

resource "carvel_kubeconfig_secret" "again" {
  run_cluster = "staging"
  namespace   = var.name
  service_account = {
    namespace          = carvel_run_namespace.test.name
    name               = carvel_run_namespace.test.service_account_name
    token_source       = "request"
    expiration_seconds = 1200
  }
}
