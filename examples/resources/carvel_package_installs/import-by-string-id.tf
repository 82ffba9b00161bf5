import {
  to = carvel_package_installs.prod
  id = "prod/app.default.tap,db.default.tap"
}
