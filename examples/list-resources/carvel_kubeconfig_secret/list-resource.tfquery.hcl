list "carvel_kubeconfig_secret" "all" {
  provider = carvel

  config {
    namespace = "dev"
  }
}
