from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = []
    atomic = False
    operations = [
        AddIndexConcurrently("order", models.Index(fields=["a"], name="i")),
    ]
