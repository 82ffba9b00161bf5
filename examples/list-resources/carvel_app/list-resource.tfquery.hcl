list "carvel_app" "all" {
  provider         = carvel
  include_resource = true

  config {
    namespace = "dev"
  }
}
