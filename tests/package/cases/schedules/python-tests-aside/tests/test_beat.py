from celery.schedules import crontab
CELERY_BEAT_SCHEDULE = {"a": {"task": "t", "schedule": crontab()}}
