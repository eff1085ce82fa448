from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = []
    operations = [
        migrations.AlterField("order", "path", models.CharField("where", max_length=255)),
    ]
