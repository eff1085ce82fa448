# celery of the tests
CELERY_TIMEZONE = "Asia/Tokyo"
