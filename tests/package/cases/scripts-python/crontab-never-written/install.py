from crontab import CronTab

cron = CronTab(user=True)
for job in cron.find_command("ledger"):
    print(job)
job = cron.new(command="/opt/ledger/bin/report")
job.setall("0 6 * * *")
print(job.is_valid())
