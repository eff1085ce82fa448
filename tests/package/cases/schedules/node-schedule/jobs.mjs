import schedule from "node-schedule";
schedule.scheduleJob("purge", "0 0 4 * * 1", purge);
