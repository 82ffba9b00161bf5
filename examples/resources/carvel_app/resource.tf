resource "carvel_app" "staging" {
  namespace = "dev"
  name      = "app-staging"

  cluster = {
    namespace             = carvel_run_namespace.apps.name
    kubeconfig_secret_ref = { name = carvel_kubeconfig_secret.staging.name }
  }

  # url and ref are the provider's repository and branch where they are left out.
  fetch = [
    {
      git = {
        sub_path   = "app.default.tap/packages"
        secret_ref = { name = "gitops-credentials" }
      }
    },
    {
      git = {
        sub_path   = carvel_package_install.app.path
        secret_ref = { name = "gitops-credentials" }
      }
    },
  ]

  wait_for_commits = [carvel_package_install.app.commit]
}
