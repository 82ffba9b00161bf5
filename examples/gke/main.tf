terraform {
  required_version = ">= 1.11"

  required_providers {
    carvel = {
      source = "carvel-gitops/carvel"
    }
    google = {
      source = "hashicorp/google"
    }
  }
}

variable "project" {
  type = string
}

locals {
  # Name in the GitOps repository to name and place in GKE.
  run_clusters = {
    staging = { name = "apps-staging", location = "europe-west4" }
    prod    = { name = "apps-prod", location = "europe-west4" }
  }
}

data "google_client_config" "current" {}

data "google_container_cluster" "run" {
  for_each = local.run_clusters

  project  = var.project
  name     = each.value.name
  location = each.value.location
}

data "google_container_cluster" "build" {
  project  = var.project
  name     = "build"
  location = "europe-west4"
}

provider "carvel" {
  build_cluster = {
    host                   = "https://${data.google_container_cluster.build.endpoint}"
    cluster_ca_certificate = base64decode(data.google_container_cluster.build.master_auth[0].cluster_ca_certificate)
    token                  = data.google_client_config.current.access_token
  }

  run_clusters = { for name, cluster in data.google_container_cluster.run : name => {
    host                   = "https://${cluster.endpoint}"
    cluster_ca_certificate = base64decode(cluster.master_auth[0].cluster_ca_certificate)
    token                  = data.google_client_config.current.access_token
  } }
}

# For the Apps: an account of Kubernetes itself, which needs neither Google Cloud nor a plugin.
resource "carvel_run_namespace" "apps" {
  for_each = local.run_clusters

  run_cluster = each.key
  name        = "apps"
}

resource "carvel_kubeconfig_secret" "apps" {
  for_each = local.run_clusters

  run_cluster = each.key
  namespace   = "dev"

  service_account = {
    namespace = carvel_run_namespace.apps[each.key].name
    name      = carvel_run_namespace.apps[each.key].service_account_name
  }
}
