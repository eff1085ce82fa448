const Queue = require("bull");
q.add({}, { repeat: { cron: "5 4 * * *", tz: "Asia/Tokyo" } });
