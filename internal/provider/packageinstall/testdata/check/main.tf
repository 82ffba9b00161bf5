variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

provider "carvel" {
  git           = { http = { certificate_authority = var.git_ca } }
  build_cluster = { host = "https://127.0.0.1:1" }
  run_clusters = {
    staging = { config_path = var.staging_kubeconfig }
    down    = { host = "https://127.0.0.1:1", token = "none" }
  }
}

resource "terraform_data" "test" {
  input = var.name
}

check "installs" {
  data "carvel_package_installs" "down" {
    run_cluster = "down"
    namespace   = var.name
    timeouts    = { read = "2s" }
  }
  assert {
    condition     = alltrue([for i in data.carvel_package_installs.down.package_installs : i.ready])
    error_message = "A package is not ready."
  }
}

check "app" {
  data "carvel_app" "down" {
    namespace = var.name
    name      = terraform_data.test.output
    timeouts  = { read = "2s" }
  }
  assert {
    condition     = data.carvel_app.down.ready
    error_message = "The App is not ready."
  }
}

data "carvel_package_installs" "later" {
  run_cluster = "staging"
  namespace   = terraform_data.test.output
}

output "installs" {
  value = data.carvel_package_installs.later.package_installs
}
