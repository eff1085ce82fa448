import org.springframework.scheduling.annotation.Scheduled;
class A {
 @Scheduled(cron = "${relay.cron}")
 void run() {}
}
