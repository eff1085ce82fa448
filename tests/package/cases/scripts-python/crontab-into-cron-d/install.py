from crontab import CronTab

system = CronTab(tabfile="/etc/cron.d/ledger", user=False)
job = system.new(command="/opt/ledger/bin/purge", user="ledger")
job.day.on(15)
job.hour.on(3)
job.minute.on(20)
old = system.new(command="/opt/ledger/bin/old", user="root")
old.setall("0 0 * * *")
old.enable(False)
system.write()
