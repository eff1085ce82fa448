import org.springframework.scheduling.annotation.Scheduled;
class A {
 @Scheduled(cron = "${a.cron:-}")
 void run() {}
 @Scheduled(cron = "${b.cron}")
 void other() {}
}
