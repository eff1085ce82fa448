app.schedule("0 1 * * *", run);
