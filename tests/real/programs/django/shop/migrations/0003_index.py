from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("shop", "0002_rows")]
    operations = [
        AddIndexConcurrently("order", models.Index(fields=["total"], name="order_total")),
        migrations.RunSQL(
            "ALTER TABLE shop_order ADD COLUMN note text; UPDATE shop_order SET note = 'n'",
            "ALTER TABLE shop_order DROP COLUMN note",
        ),
    ]
