terraform {
  required_providers {
    carvel = { source = "carvel-gitops/carvel" }
  }
}

variable "git_url" { type = string }
variable "git_ca" { type = string }

variable "packages" {
  type    = map(string)
  default = { one = "app.example.com" }
}

provider "carvel" {
  git = {
    url  = var.git_url
    http = { username = "u", password = "p", certificate_authority = var.git_ca }
  }
  # Committing files needs no connection to the clusters.
  run_clusters = { staging = { host = "https://127.0.0.1:1", token = "none" } }
}

resource "carvel_package_install" "test" {
  for_each = var.packages

  package              = each.value
  run_cluster          = "staging"
  service_account_name = "delivery-sa"
  version_constraint   = "1.0.0"
  package_source       = "none"
  values               = { replicas = 2 }
}
