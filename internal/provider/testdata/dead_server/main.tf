variable "git_url" {
  type = string
}

variable "package" {
  type = string
}

variable "read" {
  type    = string
  default = null
}

provider "carvel" {
  git = {
    url  = var.git_url
    http = { username = "ci", password = "s3cret-canary", allow_insecure_http = true }
  }
}

resource "carvel_package_install" "test" {
  count = 100

  package              = "${var.package}${count.index}"
  run_cluster          = "staging"
  service_account_name = "apps-sa"
  version_constraint   = "1.0.0"

  timeouts = { read = var.read }
}
