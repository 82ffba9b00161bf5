# The package install is made in another workspace. Its App is made here.
resource "carvel_app" "billing_staging" {
  namespace = "dev"
  name      = "billing-staging"

  cluster = {
    namespace             = "apps"
    kubeconfig_secret_ref = { name = "staging-kubeconfig" }
  }

  fetch = [
    { git = { sub_path = "billing.default.tap/packages" } },
    { git = { sub_path = provider::carvel::package_install_path("billing.default.tap", "staging") } },
  ]
}
