from django.db import migrations
from shop.prices import recompute


def fill(apps, schema_editor):
    recompute(apps)


class Migration(migrations.Migration):
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
