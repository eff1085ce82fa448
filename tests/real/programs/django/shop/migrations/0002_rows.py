from django.db import migrations


def fill(apps, editor):
    shop = apps.get_model("shop", "Shop").objects.create(name="one")
    order = apps.get_model("shop", "Order")
    order.objects.bulk_create(order(total=n, shop=shop) for n in range(1500))
    for one in order.objects.filter(total__lt=10):
        one.total += 1
        one.save()


class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunSQL(
            "CREATE VIEW big AS SELECT * FROM shop_order WHERE total > 100; COMMENT ON VIEW big IS 'two'",
            "DROP VIEW big",
        ),
    ]
