from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = []
    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("Order")], database_operations=[]),
        migrations.AlterModelOptions("order", options={}),
    ]
