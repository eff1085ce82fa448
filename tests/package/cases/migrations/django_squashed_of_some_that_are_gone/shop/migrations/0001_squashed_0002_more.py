from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [("shop", "0001_initial"), ("shop", "0002_more")]
    dependencies = []
    operations = [migrations.RunSQL("CREATE TABLE shop_item (id int, more int)", "DROP TABLE shop_item")]
