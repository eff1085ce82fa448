from celery.schedules import crontab
CELERYBEAT_SCHEDULE = {"a": {"task": "t.a", "schedule": crontab(minute="*/15")}}
