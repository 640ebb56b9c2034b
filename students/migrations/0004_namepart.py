from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("students", "0003_references_by_statement"),
    ]

    operations = [
        migrations.CreateModel(
            name="NamePart",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "part", "name_key", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("part", models.CharField(db_collation="C", max_length=60)),
                ("name_key", models.CharField(max_length=60)),
            ],
        ),
    ]
