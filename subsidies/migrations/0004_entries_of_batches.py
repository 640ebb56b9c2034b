from django.db import migrations

_COUNTY = "(SELECT current_setting('eduaid.scope', true) = '*')"
_LINE = "EXISTS (SELECT 1 FROM subsidies_line l WHERE l.entry_id = subsidies_entry.id)"
_BATCH = "EXISTS (SELECT 1 FROM subsidies_aidbatch b WHERE b.id = batch_id)"


def _policy(through: str) -> str:
    return f"ALTER POLICY scope ON subsidies_entry USING ({_COUNTY} OR {through}) WITH CHECK ({_COUNTY} OR {through})"


class Migration(migrations.Migration):
    """An entry is written before its lines: a township that corrects an account books it, so the batch decides who sees it."""

    dependencies = [("subsidies", "0003_ledger_guards")]
    operations = [migrations.RunSQL(_policy(_BATCH), _policy(_LINE))]
