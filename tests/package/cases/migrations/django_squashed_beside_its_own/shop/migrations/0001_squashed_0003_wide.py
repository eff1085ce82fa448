from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [("shop", "0001_initial"), ("shop", "0002_names"), ("shop", "0003_wide")]
    dependencies = []
    operations = [
        migrations.CreateModel("Order", fields=[("path", models.TextField())]),
    ]
