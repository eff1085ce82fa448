CRONJOBS = [
    ("*/5 * * * *", "relay.cron.pull"),
]
