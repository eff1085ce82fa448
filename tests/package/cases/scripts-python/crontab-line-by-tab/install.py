from crontab import CronTab

cron = CronTab(tab="""
30 1 * * * /opt/ledger/bin/dump
""")
cron.write_to_user(user="postgres")
