variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}
variable "apps" {
  type    = set(string)
  default = ["one"]
}
variable "adopt_existing" {
  type    = bool
  default = null
}
variable "password" {
  type    = string
  default = "s3cret"
}

variable "build_host" {
  type    = string
  default = null
}

provider "carvel" {
  build_cluster = { host = var.build_host }
}

# They deploy to the build cluster itself, and nothing waits for them.
resource "carvel_app" "test" {
  for_each = var.apps

  namespace            = var.name
  name                 = each.key
  service_account_name = "default"
  fetch                = [{ git = { url = "https://git.example.com/a.git", ref = "origin/main" } }]
  git_credentials      = { secret_name = "shared", username = "ci", password_wo = var.password, version = var.password }
  adopt_existing       = var.adopt_existing
  paused               = true
  on_destroy           = "orphan"
}
