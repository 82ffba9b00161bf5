resource "carvel_package_installs" "prod" {
  run_cluster          = "prod"
  service_account_name = carvel_run_namespace.apps.service_account_name

  packages = {
    "app.default.tap" = {
      version_constraint = ">=1.0.0 <2.0.0"
      values = {
        replicas = 3
        hostname = "app.example.com"
      }
    }
    "db.default.tap" = {
      version_constraint = "2.4.1"
      values_yaml        = ["{storage: 10Gi}"] # most often file("db.yaml")
      sync_period        = "1h"                # the others have the controller's default
    }
  }

  values_wo = {
    "db.default.tap" = { password = var.db_password }
  }
}

variable "db_password" {
  type      = string
  sensitive = true
  ephemeral = true
}
