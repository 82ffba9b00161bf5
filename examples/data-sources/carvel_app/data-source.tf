# Warns in each plan and apply while the run cluster is behind the repository.
check "staging_follows_the_repository" {
  data "carvel_app" "staging" {
    namespace = "dev"
    name      = "app-staging"
  }

  assert {
    condition     = data.carvel_app.staging.ready && data.carvel_app.staging.in_sync
    error_message = "app-staging: ${data.carvel_app.staging.message}"
  }
}
