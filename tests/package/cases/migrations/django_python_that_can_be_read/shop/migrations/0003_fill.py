from django.db import migrations


def fill(apps, schema_editor):
    Order = apps.get_model("shop", "Order")
    for order in Order.objects.filter(total=None).iterator():
        order.total = 0
        order.save(update_fields=["total"])
    apps.get_model("shop", "Log").objects.count()
    Draft = apps.get_model("shop", "Draft")
    Draft.objects.all().delete()
    schema_editor.execute("ALTER TABLE shop_order ALTER COLUMN total SET NOT NULL")


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_x")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
