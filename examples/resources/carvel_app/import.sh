# NAMESPACE/NAME
terraform import carvel_app.staging dev/app-staging
