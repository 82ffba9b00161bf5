terraform {
  required_providers {
    carvel = { source = "carvel-gitops/carvel" }
  }
}

variable "git_url" { type = string }
variable "git_ca" { type = string }

provider "carvel" {
  git = {
    url  = var.git_url
    http = { username = "u", password = "p", certificate_authority = var.git_ca }
  }
}
