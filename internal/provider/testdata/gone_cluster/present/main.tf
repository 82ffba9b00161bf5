variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

provider "carvel" {
  run_clusters = {
    gone = { config_path = var.staging_kubeconfig }
  }
}

resource "carvel_run_namespace" "test" {
  run_cluster = "gone"
  name        = var.name
}

resource "carvel_kubeconfig_secret" "test" {
  run_cluster = "gone"
  namespace   = var.name
  service_account = {
    namespace = carvel_run_namespace.test.name
    name      = carvel_run_namespace.test.service_account_name
  }
}

resource "carvel_app" "test" {
  namespace = var.name
  name      = "${var.name}-app"
  cluster = {
    namespace             = carvel_run_namespace.test.name
    kubeconfig_secret_ref = { name = "gone-kubeconfig" }
  }
  fetch      = [{ inline = { paths = { "config.yaml" = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: content }\n" } } }]
  depends_on = [carvel_kubeconfig_secret.test]
}
