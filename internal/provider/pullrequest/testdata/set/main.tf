variable "git_url" { type = string }
variable "git_ca" { type = string }
variable "username" { type = string }
variable "password" {
  type      = string
  sensitive = true
}
variable "forge_token" {
  type      = string
  sensitive = true
  default   = null
}
variable "push_branch" {
  type    = string
  default = "terraform/prod"
}
variable "installs" {
  description = "Package to version."
  type        = map(string)
  default     = {}
}
variable "replicas" {
  type    = number
  default = 1
}
variable "request" {
  description = "Arguments of the request; null: there is none."
  type        = any
  default     = {}
}
variable "auto_merge_removals" {
  type    = bool
  default = null
}
variable "delete_timeout" {
  type    = string
  default = "10s"
}

terraform {
  required_providers {
    carvel = { source = "hashicorp/carvel" }
  }
}

provider "carvel" {
  git = {
    url         = var.git_url
    push_branch = var.push_branch
    author_name = "Terraform"
    http        = { username = var.username, password = var.password, certificate_authority = var.git_ca }
    forge       = { kind = "gitea", token = var.forge_token, auto_merge_removals = var.auto_merge_removals }
  }
}

resource "carvel_package_installs" "test" {
  count = length(var.installs) > 0 ? 1 : 0

  run_cluster          = "prod"
  package_source       = "none"
  namespace            = "apps"
  service_account_name = "apps-sa"
  packages = tomap({ for name, version in var.installs : name => {
    version_constraint = version
    values             = { replicas = var.replicas }
  } })
  timeouts = { delete = var.delete_timeout }
}

resource "carvel_pull_request" "test" {
  count = var.request == null ? 0 : 1

  commits = carvel_package_installs.test[*].pending_commit
}

output "installs" {
  value = { for i in carvel_package_installs.test : "all" => { commit = i.commit, pending = i.pending_commit } }
}
