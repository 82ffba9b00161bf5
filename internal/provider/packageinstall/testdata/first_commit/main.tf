terraform {
  required_providers {
    carvel = { source = "carvel-gitops/carvel" }
  }
}

variable "git_url" { type = string }
variable "git_ca" { type = string }
variable "signing_key" { type = string }
variable "signing_passphrase" { type = string }

provider "carvel" {
  git = {
    url           = var.git_url
    create_branch = true
    author_email  = "ada@example.com"
    signing       = { ssh_key = var.signing_key, ssh_passphrase = var.signing_passphrase }
    http          = { username = "u", password = "p", certificate_authority = var.git_ca }
  }
  run_clusters = { staging = { host = "https://127.0.0.1:1", token = "none" } }
}

resource "carvel_package_install" "test" {
  package              = "app.example.com"
  run_cluster          = "staging"
  service_account_name = "delivery-sa"
  version_constraint   = "1.0.0"
  package_source       = "none"
  values               = { replicas = 2 }
}
