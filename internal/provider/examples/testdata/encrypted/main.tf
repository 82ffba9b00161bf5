variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}
variable "recipient" { type = string }
variable "age_key" {
  type      = string
  ephemeral = true
}
variable "password" {
  type      = string
  ephemeral = true
}

provider "carvel" {
  git = {
    http = { certificate_authority = var.git_ca }
  }
  run_clusters = {
    staging = { config_path = var.staging_kubeconfig }
    prod    = { config_path = var.prod_kubeconfig }
  }
}

resource "carvel_run_namespace" "test" {
  run_cluster = "staging"
  name        = var.name
}

resource "carvel_package_install" "test" {
  package              = var.package
  run_cluster          = "staging"
  service_account_name = carvel_run_namespace.test.service_account_name
  version_constraint   = "1.0.0"
  values               = { hostname = "app.example.com" }
  values_wo            = { password = var.password }
  encryption           = { age_recipients = [var.recipient] }
}

resource "carvel_kubeconfig_secret" "test" {
  run_cluster = "staging"
  namespace   = var.name
  service_account = {
    namespace = carvel_run_namespace.test.name
    name      = carvel_run_namespace.test.service_account_name
  }
}

resource "carvel_app" "test" {
  namespace   = var.name
  name        = "${var.name}-app"
  run_cluster = "staging"
  packages    = [carvel_package_install.test.package]
  cluster = {
    namespace             = carvel_run_namespace.test.name
    kubeconfig_secret_ref = { name = carvel_kubeconfig_secret.test.name }
  }
  git_secret_ref          = { name = "git" }
  sops_age_key_wo         = var.age_key
  sops_age_key_wo_version = "1"
  wait_for_commits        = [carvel_package_install.test.commit]
}
