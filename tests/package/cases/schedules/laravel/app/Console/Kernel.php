<?php
use Illuminate\Console\Scheduling\Schedule;
class Kernel { function schedule(Schedule $schedule) {
  $schedule->command("relay:purge")->dailyAt("03:15")->timezone("Europe/Paris")->withoutOverlapping();
  $schedule->job(new Sync)->everyFiveMinutes();
  // $schedule->command("old")->daily();
} }
