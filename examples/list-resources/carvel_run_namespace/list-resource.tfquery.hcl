list "carvel_run_namespace" "staging" {
  provider         = carvel
  include_resource = true

  config {
    run_cluster = "staging"
  }
}
