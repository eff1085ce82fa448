from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            "Shop", [("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=40))]
        ),
        migrations.CreateModel(
            "Order",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("total", models.IntegerField()),
                ("shop", models.ForeignKey("shop.Shop", models.CASCADE)),
            ],
        ),
    ]
