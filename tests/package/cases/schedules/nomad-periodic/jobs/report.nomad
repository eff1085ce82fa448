job "report" {
  type = "batch"
  periodic {
    cron             = "0 6 * * *"
    time_zone        = "America/Chicago"
    prohibit_overlap = true
  }
  group "g" {
    task "t" {
      config {
        command = "/opt/report/run"
        args    = ["-v", "all"]
      }
    }
  }
}
