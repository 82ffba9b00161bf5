variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}
variable "git_username" { type = string }
variable "git_password" {
  type      = string
  sensitive = true
  ephemeral = true
}

variable "fetch_per_package" {
  type    = bool
  default = null
}
variable "credentials_version" {
  type    = string
  default = "1"
}
variable "version_constraint" {
  type    = string
  default = "1.0.0"
}
variable "values" {
  type    = any
  default = { hostname = "a.example.com" }
}
variable "sync_period" {
  type    = string
  default = null
}
variable "timeouts" {
  type    = any
  default = null
}

provider "carvel" {
  git = {
    http = { certificate_authority = var.git_ca }
  }
  run_clusters = {
    staging = { config_path = var.staging_kubeconfig }
  }
}

resource "carvel_run_namespace" "test" {
  run_cluster = "staging"
  name        = var.name
}

resource "carvel_kubeconfig_secret" "test" {
  run_cluster = "staging"
  namespace   = var.name
  service_account = {
    namespace = carvel_run_namespace.test.name
    name      = carvel_run_namespace.test.service_account_name
  }
}

resource "carvel_package_install" "test" {
  package              = var.package
  run_cluster          = "staging"
  service_account_name = carvel_run_namespace.test.service_account_name
  version_constraint   = var.version_constraint
  values               = var.values
}

resource "carvel_app" "test" {
  namespace   = var.name
  name        = "${var.name}-app"
  run_cluster = carvel_package_install.test.run_cluster
  packages    = [var.package]

  fetch_per_package = var.fetch_per_package

  git_credentials = {
    username    = var.git_username
    password_wo = var.git_password
    version     = var.credentials_version
  }
  cluster = {
    namespace             = carvel_run_namespace.test.name
    kubeconfig_secret_ref = { name = carvel_kubeconfig_secret.test.name }
  }
  sync_period      = var.sync_period
  wait_for_commits = [carvel_package_install.test.commit]
  timeouts         = var.timeouts
}
