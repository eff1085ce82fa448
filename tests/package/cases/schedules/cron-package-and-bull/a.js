const { CronJob } = require("cron");
new CronJob("0 0 2 * * *", run, null, true, "UTC");
