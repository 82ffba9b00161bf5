list "carvel_kubeconfig_secret" "all" {
  provider         = carvel
  include_resource = true

  config {
    namespace = "dev"
  }
}
