variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}
variable "git_url" {
  type    = string
  default = null
}
variable "build_host" {
  type    = string
  default = null
}
variable "unknown" {
  type    = bool
  default = false
}

provider "carvel" {
  git           = var.git_url == null ? { http = { certificate_authority = var.git_ca } } : null
  build_cluster = { host = var.build_host }
  run_clusters = {
    staging = { config_path = var.staging_kubeconfig }
  }
}

resource "terraform_data" "run_cluster" {
  input = "staging"
}

resource "terraform_data" "packages" {
  input = [var.package]
}

# Not waited for: the plan alone is looked at.
resource "carvel_app" "test" {
  namespace   = var.name
  name        = var.name
  wait        = false
  run_cluster = var.unknown ? terraform_data.run_cluster.output : "staging"
  packages    = var.unknown ? terraform_data.packages.output : null
  fetch = var.unknown ? null : [{ git = {
    url        = coalesce(var.git_url, "https://git.example.com/theirs.git")
    ref        = "origin/main"
    sub_path   = "theirs"
    secret_ref = { name = "git" }
  } }]
  cluster = {
    namespace             = var.name
    kubeconfig_secret_ref = { name = "nosuch" }
  }
}
