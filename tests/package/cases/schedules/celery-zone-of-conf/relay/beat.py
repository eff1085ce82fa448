from celery import Celery
from celery.schedules import crontab

app = Celery("relay")
app.conf.beat_schedule = {"nightly": {"task": "relay.nightly", "schedule": crontab(hour=3, minute=30)}}
app.conf.timezone = "Europe/London"
