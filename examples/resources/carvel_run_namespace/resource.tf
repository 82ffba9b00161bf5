resource "carvel_run_namespace" "apps" {
  run_cluster = "staging"
  name        = "staging-apps"

  labels = {
    team = "platform"
  }
}
