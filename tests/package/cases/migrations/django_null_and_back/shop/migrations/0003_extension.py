from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_null")]
    operations = [
        TrigramExtension(),
    ]
