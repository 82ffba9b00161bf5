# RUN-CLUSTER/NAME
terraform import carvel_run_namespace.apps staging/staging-apps
