terraform {
  required_providers {
    carvel = {
      source = "carvel-gitops/carvel"
    }
  }
}

variable "name" { type = string }
variable "package" { type = string }
variable "resource" { type = string }
variable "timeout" {
  type    = string
  default = null
}
variable "git" {
  type      = any
  sensitive = true
  default   = null
}
variable "build" {
  type      = any
  sensitive = true
  default   = null
}
variable "run" {
  type      = any
  sensitive = true
  default   = {}
}
variable "namespace" {
  type    = string
  default = null
}
variable "kubeconfig" {
  type      = string
  sensitive = true
  default   = null
}
variable "kubeconfig_wo" {
  type      = string
  sensitive = true
  ephemeral = true
  default   = null
}
variable "app_kind" {
  type    = string
  default = "password"
}
variable "app_secret" {
  type      = string
  sensitive = true
  ephemeral = true
  default   = null
}
variable "values" {
  type      = any
  sensitive = true
  default   = null
}

variable "values_yaml" {
  type      = list(string)
  sensitive = true
  default   = null
}
variable "values_wo" {
  type      = any
  sensitive = true
  ephemeral = true
  default   = null
}
variable "annotations" {
  type    = map(string)
  default = null
}

provider "carvel" {
  git           = var.git
  build_cluster = var.build
  run_clusters  = { staging = var.run }
}

resource "carvel_package_install" "test" {
  count                = var.resource == "package_install" ? 1 : 0
  package              = var.package
  run_cluster          = "staging"
  service_account_name = "${var.name}-sa"
  version_constraint   = "1.0.0"
  package_source       = "none"
  values               = var.values
  values_yaml          = var.values_yaml
  values_wo            = var.values_wo
  annotations          = var.annotations
  timeouts             = { create = var.timeout }
}

resource "carvel_run_namespace" "test" {
  count       = var.resource == "run_namespace" ? 1 : 0
  run_cluster = "staging"
  name        = var.name
  timeouts    = { create = var.timeout }
}

resource "carvel_kubeconfig_secret" "test" {
  count                 = var.resource == "kubeconfig_secret" ? 1 : 0
  run_cluster           = "staging"
  namespace             = coalesce(var.namespace, var.name)
  kubeconfig            = var.kubeconfig
  kubeconfig_wo         = var.kubeconfig_wo
  kubeconfig_wo_version = var.kubeconfig == null ? "1" : null
  timeouts              = { create = var.timeout }
}

ephemeral "carvel_kubeconfig" "test" {
  count                = var.resource == "ephemeral" ? 1 : 0
  run_cluster          = "staging"
  namespace            = var.name
  service_account_name = "${var.name}-sa"
  timeouts             = { open = var.timeout }
}

resource "carvel_app" "test" {
  count     = var.resource == "app" ? 1 : 0
  namespace = var.name
  name      = "test"
  git_credentials = {
    username           = var.app_kind == "ssh" ? null : "ci"
    password_wo        = var.app_kind == "ssh" ? null : var.app_secret
    ssh_private_key_wo = var.app_kind == "ssh" ? var.app_secret : null
    known_hosts        = var.app_kind == "ssh" ? "git.example.com ssh-ed25519 AAAA" : null
    version            = "1"
  }
  sops_age_key_wo         = var.app_kind == "age" ? var.app_secret : null
  sops_age_key_wo_version = var.app_kind == "age" ? "1" : null
  fetch                   = [{ git = { sub_path = "${var.package}/staging" } }]
  cluster                 = { namespace = var.name, kubeconfig_secret_ref = { name = "staging-kubeconfig" } }
}

resource "carvel_pull_request" "test" {
  count = var.resource == "pull_request" ? 1 : 0

  commits = []
}
