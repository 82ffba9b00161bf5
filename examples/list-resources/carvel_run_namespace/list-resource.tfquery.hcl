list "carvel_run_namespace" "staging" {
  provider = carvel

  config {
    run_cluster = "staging"
  }
}
