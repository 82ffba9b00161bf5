# The platform team's workspace: namespaces and rights on the run clusters, the
# run clusters' kubeconfigs and the Apps on the build cluster. What is delivered
# is up to the application workspaces, which commit to the same repository,
# before this one or after it.

terraform {
  required_version = ">= 1.11"

  required_providers {
    carvel = {
      source = "carvel-gitops/carvel"
    }
  }
}

variable "git_ca" {
  description = "PEM-encoded authority of the Git server's certificate, if the system does not know it."
  type        = string
  default     = null
}

variable "run_clusters" {
  description = "The run clusters: name to the path of an administrator's kubeconfig."
  type        = map(string)
}

variable "build_namespace" {
  description = "Namespace of the Apps on the build cluster. It exists already."
  type        = string
}

variable "teams" {
  description = "The application teams: name to the packages that they deliver, and to which run clusters."
  type = map(object({
    packages     = list(string)
    run_clusters = set(string)
  }))
}

variable "git_read_username" {
  description = "User that the Apps read the repository as."
  type        = string
}

variable "git_read_password" {
  description = "Password of that user. It is not kept in the state."
  type        = string
  ephemeral   = true
}

# KUBE_CONFIG_PATH names the build cluster. CARVEL_GIT_URL is where the Apps
# fetch from, what tells whether they have fetched all of it, and where
# directories are made.
provider "carvel" {
  git = {
    http = { certificate_authority = var.git_ca }
  }

  run_clusters = { for name, path in var.run_clusters : name => { config_path = path } }
}

locals {
  places = merge([for team, t in var.teams : { for cluster in t.run_clusters : "${team}/${cluster}" => {
    team        = team
    run_cluster = cluster
    packages    = t.packages
  } }]...)
}

resource "carvel_run_namespace" "team" {
  for_each = local.places

  run_cluster = each.value.run_cluster
  name        = each.value.team
}

resource "carvel_kubeconfig_secret" "team" {
  for_each = local.places

  run_cluster = each.value.run_cluster
  namespace   = var.build_namespace
  name        = "${each.value.team}-${each.value.run_cluster}-kubeconfig"

  service_account = {
    namespace = carvel_run_namespace.team[each.key].name
    name      = carvel_run_namespace.team[each.key].service_account_name
  }
}

resource "carvel_app" "team" {
  for_each = local.places

  namespace   = var.build_namespace
  name        = "${each.value.team}-${each.value.run_cluster}"
  run_cluster = each.value.run_cluster
  packages    = each.value.packages

  # An App fails while a directory that it delivers does not exist, so those
  # that no application workspace has committed yet are committed empty.
  create_directories = true

  cluster = {
    namespace             = carvel_run_namespace.team[each.key].name
    kubeconfig_secret_ref = { name = carvel_kubeconfig_secret.team[each.key].name }
  }

  git_credentials = {
    username    = var.git_read_username
    password_wo = var.git_read_password
    version     = "1" # another text writes the credentials again
  }
}

output "service_accounts" {
  description = "The ServiceAccount that an application workspace names: team and run cluster to its name."
  value       = { for key, namespace in carvel_run_namespace.team : key => namespace.service_account_name }
}
