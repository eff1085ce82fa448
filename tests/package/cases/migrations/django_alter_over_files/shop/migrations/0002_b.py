from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = []
    operations = [
        migrations.AlterField("order", "n", models.BigIntegerField()),
        migrations.AlterField("order", "t", models.CharField(max_length=20, help_text="x")),
    ]
