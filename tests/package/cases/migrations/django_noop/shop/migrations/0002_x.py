from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = []
    operations = [
        migrations.RunSQL("DELETE FROM shop_order WHERE id < 3", migrations.RunSQL.noop),
    ]
