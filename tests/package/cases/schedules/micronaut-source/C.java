import io.micronaut.scheduling.annotation.Scheduled;
class C {
  @Scheduled(cron="30 4 1/3 * 0")
  void a() {}
  @Scheduled(fixedDelay="5m")
  void b() {}
}
