import org.springframework.scheduling.annotation.*;
class A {
 @Scheduled(cron = "${jobs.cleanUp.cron}")
 void run() {}
}
