variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

# Nothing answers at the address of the run cluster any more.
provider "carvel" {
  run_clusters = {
    gone = { host = "https://192.0.2.1", token = "none" }
  }
}

removed {
  from = carvel_run_namespace.test

  lifecycle {
    destroy = false
  }
}

removed {
  from = carvel_kubeconfig_secret.test

  lifecycle {
    destroy = false
  }
}

resource "carvel_app" "test" {
  namespace = var.name
  name      = "${var.name}-app"
  cluster = {
    namespace             = var.name
    kubeconfig_secret_ref = { name = "gone-kubeconfig" }
  }
  fetch      = [{ inline = { paths = { "config.yaml" = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: content }\n" } } }]
  on_destroy = "orphan"
}
