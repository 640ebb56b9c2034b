import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0006_references_by_statement'),
    ]

    operations = [
        migrations.AddField(
            model_name='uploadrow',
            name='continues',
            field=models.ForeignKey(db_constraint=False, db_index=False, help_text='The older row that the hidden key of a prefilled template names: who fills it in speaks of the same person.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.uploadrow'),
        ),
    ]
