list "carvel_app" "all" {
  provider = carvel

  config {
    namespace = "dev"
  }
}
