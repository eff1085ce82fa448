import os
from datetime import datetime
from rq_scheduler import Scheduler
from relay.tasks import purge, ping

scheduler = Scheduler(connection=conn)
scheduler.cron("30 5 * * *", func=purge, args=[1], id="purge")
scheduler.cron("0 6 * * *", ping, use_local_timezone=True)
scheduler.schedule(scheduled_time=datetime.utcnow(), func=ping, interval=60 * 15, repeat=None)
scheduler.enqueue_in(10, ping)
