resource "carvel_package_install" "app" {
  package              = "app.default.tap"
  run_cluster          = "staging"
  service_account_name = carvel_run_namespace.apps.service_account_name
  version_constraint   = ">=1.0.0 <2.0.0"

  values = {
    workload_name = "app"
    replicas      = 2
    hostname      = "app.staging.example.com"
  }
}

variable "database_password" {
  type      = string
  sensitive = true
  ephemeral = true
}

# Values from YAML, each text over those before it, with a secret on top that is
# not kept in the state.
resource "carvel_package_install" "shop" {
  package              = "shop.default.tap"
  run_cluster          = "prod"
  service_account_name = carvel_run_namespace.apps.service_account_name
  version_constraint   = ">=0.0.0"
  hash_values_name     = true

  # Most often file("values.yaml").
  values_yaml = [
    "{replicas: 2, hostname: shop.example.com}",
    "replicas: 3",
  ]
  values    = { workload_name = "shop" }
  values_wo = { database = { password = var.database_password } }

  # What the package's values do not reach.
  ytt_overlays = {
    "replicas.yaml" = <<-EOT
      #@ load("@ytt:overlay", "overlay")
      #@overlay/match by=overlay.subset({"kind": "Deployment"})
      ---
      spec:
        #@overlay/match missing_ok=True
        minReadySeconds: 10
    EOT
  }
}
