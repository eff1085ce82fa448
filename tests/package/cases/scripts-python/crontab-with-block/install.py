from crontab import CronTab

COMMAND = "/opt/ledger/bin/report"
with CronTab(user="root") as cron:
    job = cron.new(command=f"{COMMAND} --mail ops@ledger.example")
    job.hour.on(6)
    job.minute.on(0)
    job.dom.on(1)
