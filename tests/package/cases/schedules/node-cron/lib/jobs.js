const cron = require("node-cron");
// cron.schedule("0 1 * * *", old);
cron.schedule("30 3 * * *", nightly, { timezone: "Europe/Berlin" });
cron.schedule("*/10 * * * * *", tick);
