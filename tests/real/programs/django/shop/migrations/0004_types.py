from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0003_index")]
    operations = [
        migrations.AddField("order", "code", models.CharField(max_length=10, default="x", unique=False)),
        migrations.AlterField("order", "code", models.TextField(null=True)),
        migrations.AddConstraint("order", models.CheckConstraint(condition=models.Q(total__gte=0), name="positive")),
    ]
