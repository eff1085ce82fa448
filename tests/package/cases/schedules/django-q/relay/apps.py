from django_q.models import Schedule
from django_q.tasks import schedule

PURGE = "relay.tasks.purge"


def ready():
    Schedule.objects.update_or_create(
        name="purge", defaults={"func": PURGE, "schedule_type": Schedule.CRON, "cron": "15 4 * * *"}
    )
    schedule("relay.tasks.ping", name="ping", schedule_type="I", minutes=10)
    Schedule.objects.create(func="relay.tasks.digest", schedule_type=Schedule.WEEKLY)
    Schedule.objects.filter(func="relay.tasks.old").delete()
