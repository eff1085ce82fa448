package main
import "github.com/robfig/cron/v3"
func main() {
  c := cron.New()
  c.AddFunc("30 4 * * *", purge)
  c.AddFunc("@every 1h30m", func() {})
  c.AddFunc("CRON_TZ=Asia/Tokyo 0 6 * * *", mail)
}
