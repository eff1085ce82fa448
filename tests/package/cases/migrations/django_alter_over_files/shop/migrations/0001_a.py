from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = []
    operations = [
        migrations.CreateModel("Order", fields=[("n", models.IntegerField()), ("t", models.CharField(max_length=20))]),
    ]
