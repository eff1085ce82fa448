from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
s = BackgroundScheduler()
s.add_job(sync, "cron", hour=2, minute=15, id="sync", timezone="Europe/Berlin")
s.add_job(poll, "interval", minutes=10)
s.add_job(clean, CronTrigger.from_crontab("0 5 * * 0"))
@s.scheduled_job("cron", day_of_week="mon-fri", hour=17)
def close(): pass
