# After maintenance: terraform apply -invoke=action.carvel_app_resume.staging
action "carvel_app_resume" "staging" {
  config {
    namespace = carvel_app.staging.namespace
    name      = carvel_app.staging.name
  }
}
