import io.quarkus.scheduler.Scheduled;
class C {
  @Scheduled(cron="0 15 10 * * ?", identity="report")
  void report() {}
  @Scheduled(every="10m", delayed="30s")
  void poll() {}
  @Scheduled(cron="0 0 4 * * *")
  void star() {}
}
