from datetime import timedelta
from celery import Celery
from celery.schedules import crontab
HOUR = 60 * 60
app = Celery("relay")
app.conf.beat_schedule = {
    "nightly": {"task": "relay.tasks.nightly", "schedule": crontab(minute=30, hour=3)},
    "often": {"task": "relay.tasks.often", "schedule": timedelta(minutes=5)},
    "hourly": {"task": "relay.tasks.hourly", "schedule": HOUR},
    "weekday": {"task": "relay.tasks.week", "schedule": crontab(0, 7, day_of_week="mon-fri")},
    "set": {"task": "relay.tasks.set", "schedule": conf.every},
}
