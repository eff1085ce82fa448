def add_job(x): pass
add_job(f, 'cron', hour=1)
