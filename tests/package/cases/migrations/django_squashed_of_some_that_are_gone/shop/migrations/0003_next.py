from django.db import migrations, models


class Migration(migrations.Migration):
    
    dependencies = [("shop", "0001_squashed_0002_more")]
    operations = [migrations.RunSQL("ALTER TABLE shop_item ADD COLUMN next int", "ALTER TABLE shop_item DROP COLUMN next")]
