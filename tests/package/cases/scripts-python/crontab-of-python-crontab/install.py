#!/usr/bin/env python3
"""Sets up the nightly jobs of the ledger."""
from crontab import CronTab

cron = CronTab(user="ledger")
cron.remove_all(comment="ledger")
job = cron.new(command="/opt/ledger/bin/rotate --keep 14", comment="ledger")
job.setall("15 2 * * *")
poll = cron.new(command="/opt/ledger/bin/poll")
poll.minute.every(5)
poll.hour.during(6, 20)
weekly = cron.new(command="/opt/ledger/bin/vacuum")
weekly.hour.on(4)
weekly.minute.on(30)
weekly.dow.on("SUN")
boot = cron.new(command="/opt/ledger/bin/warm-up")
boot.every_reboot()
often = cron.new("/opt/ledger/bin/sync")
often.every(4).hours()
cron.write()
