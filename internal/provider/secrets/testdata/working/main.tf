terraform {
  required_providers {
    carvel = {
      source = "carvel-gitops/carvel"
    }
  }
}

variable "name" { type = string }
variable "package" { type = string }
variable "git_url" { type = string }
variable "git_username" { type = string }
variable "git_ca" { type = string }
variable "git_password" {
  type      = string
  sensitive = true
}
variable "build" {
  type      = object({ host = string, ca = string, certificate = string, key = string, token = string })
  sensitive = true
}
variable "staging" {
  type      = object({ host = string, ca = string, token = string })
  sensitive = true
}
variable "prod_kubeconfig" {
  type      = string
  sensitive = true
}
variable "exec" {
  type      = object({ command = string, token_file = string, variable = string })
  sensitive = true
}
variable "direct" {
  type      = string
  sensitive = true
}
variable "write_only" {
  type      = string
  sensitive = true
  ephemeral = true
}
variable "value" {
  type      = string
  sensitive = true
}
variable "app_password" {
  type      = string
  sensitive = true
  ephemeral = true
}
variable "app_ssh_key" {
  type      = string
  sensitive = true
  ephemeral = true
}
variable "app_age_key" {
  type      = string
  sensitive = true
  ephemeral = true
}
variable "inline" {
  type      = object({ fetch = string, template = string })
  sensitive = true
}
variable "value_write_only" {
  type      = string
  sensitive = true
  ephemeral = true
}
variable "set_write_only" {
  type      = string
  sensitive = true
  ephemeral = true
}

provider "carvel" {
  git = {
    url = var.git_url
    http = {
      username              = var.git_username
      password              = var.git_password
      certificate_authority = var.git_ca
    }
  }
  build_cluster = {
    host                   = var.build.host
    cluster_ca_certificate = var.build.ca
    client_certificate     = var.build.certificate
    client_key             = var.build.key
    token                  = var.build.token
  }
  run_clusters = {
    staging = {
      host                   = var.staging.host
      cluster_ca_certificate = var.staging.ca
      token                  = var.staging.token
    }
    prod = { kubeconfig = var.prod_kubeconfig }
    plugin = {
      host                   = var.staging.host
      cluster_ca_certificate = var.staging.ca
      exec = {
        api_version = "client.authentication.k8s.io/v1"
        command     = var.exec.command
        args        = [var.exec.token_file]
        env         = { PLUGIN_SECRET = var.exec.variable }
      }
    }
  }
}

resource "carvel_run_namespace" "staging" {
  run_cluster = "staging"
  name        = var.name
}

resource "carvel_run_namespace" "prod" {
  run_cluster = "prod"
  name        = var.name
}

resource "carvel_kubeconfig_secret" "direct" {
  run_cluster = "direct"
  namespace   = var.name
  kubeconfig  = var.direct
}

resource "carvel_kubeconfig_secret" "write_only" {
  run_cluster           = "write-only"
  namespace             = var.name
  kubeconfig_wo         = var.write_only
  kubeconfig_wo_version = "1"
}

resource "carvel_kubeconfig_secret" "secret" {
  run_cluster = "staging"
  namespace   = var.name
  service_account = {
    namespace = carvel_run_namespace.staging.name
    name      = carvel_run_namespace.staging.service_account_name
  }
}

resource "carvel_kubeconfig_secret" "request" {
  run_cluster = "plugin"
  namespace   = var.name
  service_account = {
    namespace    = carvel_run_namespace.staging.name
    name         = carvel_run_namespace.staging.service_account_name
    token_source = "request"
  }
}

ephemeral "carvel_kubeconfig" "short" {
  run_cluster          = "prod"
  namespace            = carvel_run_namespace.prod.name
  service_account_name = carvel_run_namespace.prod.service_account_name
}

resource "carvel_kubeconfig_secret" "short" {
  run_cluster           = "prod"
  namespace             = var.name
  kubeconfig_wo         = ephemeral.carvel_kubeconfig.short.kubeconfig
  kubeconfig_wo_version = "1"
}

resource "carvel_package_install" "test" {
  package              = var.package
  run_cluster          = "staging"
  service_account_name = carvel_run_namespace.staging.service_account_name
  version_constraint   = "1.0.0"
  values               = { password = var.value }
  values_wo            = { secret = var.value_write_only }
  hash_values_name     = true
}

resource "carvel_package_installs" "set" {
  run_cluster          = "staging"
  service_account_name = "none"
  package_source       = "none"
  packages             = { "set.${var.package}" = { version_constraint = "1.0.0" } }
  values_wo            = { "set.${var.package}" = { secret = var.set_write_only } }
}

# Paused, so that nothing needs the credentials.
resource "carvel_app" "password" {
  namespace               = var.name
  name                    = "password"
  paused                  = true
  run_cluster             = "staging"
  packages                = [var.package]
  git_credentials         = { username = "ci", password_wo = var.app_password, version = "1" }
  sops_age_key_wo         = var.app_age_key
  sops_age_key_wo_version = "1"
  cluster                 = { namespace = var.name, kubeconfig_secret_ref = { name = "not-there" } }
}

resource "carvel_app" "key" {
  namespace       = var.name
  name            = "key"
  paused          = true
  git_credentials = { ssh_private_key_wo = var.app_ssh_key, known_hosts = "git.example.com ssh-ed25519 AAAA", version = "1" }
  fetch           = [{ git = { url = "git@git.example.com:apps/config.git", ref = "origin/main" } }]
  cluster         = { namespace = var.name, kubeconfig_secret_ref = { name = "not-there" } }
}

# Whose object shows neither of the files.
resource "carvel_app" "inline" {
  namespace = var.name
  name      = "inline"
  paused    = true
  fetch     = [{ inline = { paths = { "config.yaml" = var.inline.fetch } } }]
  template  = [{ ytt = { inline = { paths = { "values.yaml" = var.inline.template } } } }]
  cluster   = { namespace = var.name, kubeconfig_secret_ref = { name = "not-there" } }
}
