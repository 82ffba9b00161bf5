# Before maintenance: terraform apply -invoke=action.carvel_app_pause.staging
action "carvel_app_pause" "staging" {
  config {
    namespace = carvel_app.staging.namespace
    name      = carvel_app.staging.name
  }
}
