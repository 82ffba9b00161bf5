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
variable "on_destroy" {
  type    = string
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

resource "carvel_package_install" "test" {
  for_each = var.installs

  package              = each.key
  run_cluster          = "prod"
  version_constraint   = each.value
  package_source       = "none"
  namespace            = "apps"
  service_account_name = "apps-sa"
  values               = { replicas = var.replicas, secret = "s3cr3t-value" }
  on_destroy           = var.on_destroy
  timeouts             = { delete = var.delete_timeout }
}

resource "carvel_pull_request" "test" {
  count = var.request == null ? 0 : 1

  commits       = [for i in carvel_package_install.test : i.pending_commit]
  title         = try(var.request.title, null)
  body          = try(var.request.body, null)
  labels        = try(var.request.labels, null)
  reviewers     = try(var.request.reviewers, null)
  draft         = try(var.request.draft, null)
  auto_merge    = try(var.request.auto_merge, null)
  merge_method  = try(var.request.merge_method, null)
  delete_branch = try(var.request.delete_branch, null)
  wait          = try(var.request.wait, null)
  timeouts      = try(var.request.timeouts, null)
}

output "request" {
  value = try({ state = carvel_pull_request.test[0].state, merge_commit = carvel_pull_request.test[0].merge_commit }, null)
}
output "installs" {
  value = { for k, i in carvel_package_install.test : k => { commit = i.commit, pending = i.pending_commit } }
}
