from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = []
    operations = [
        migrations.CreateModel("Order", fields=[("path", models.CharField(max_length=255))]),
    ]
