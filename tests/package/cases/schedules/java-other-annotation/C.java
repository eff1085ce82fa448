import com.example.Scheduled;
class C {
  @Scheduled(cron="0 0 4 * * *")
  void a() {}
}
