from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.cron import CronTrigger

scheduler = BlockingScheduler(timezone="UTC")


def vacuum():
    pass


scheduler.add_job(vacuum, CronTrigger.from_crontab("0 4 * * 0"), id="vacuum")
scheduler.add_job(vacuum, "interval", minutes=20, id="sweep")
scheduler.start()
