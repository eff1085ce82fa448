from celery import Celery
from celery.schedules import crontab
app = Celery()
@app.on_after_configure.connect
def setup(sender, **kw):
    sender.add_periodic_task(10.0, beat.s("x"), name="beat")
    sender.add_periodic_task(crontab(hour=7, minute=30, day_of_week=1), mail.s())
