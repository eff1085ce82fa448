package com.example;
import org.springframework.scheduling.annotation.Scheduled;
public class Sync {
  // @Scheduled(cron = "0 0 1 * * *")
  @Scheduled(cron = "${relay.sync.cron:0 0 3 * * *}", zone = "Europe/Berlin")
  public void nightly() {}
  @Scheduled(fixedRate = 15 * 60 * 1000, initialDelay = 60000)
  void poll() {}
  @Scheduled(fixedDelayString = "PT10S")
  void drain() {}
}
