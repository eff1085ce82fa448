from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = []
    operations = [
        migrations.RunSQL("DELETE FROM shop_order"),
    ]
