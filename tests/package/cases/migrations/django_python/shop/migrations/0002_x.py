from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = []
    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
