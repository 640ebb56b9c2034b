from django.db import migrations

from eduaid.core.database import row_policy

# What the county has issued is read by its townships and schools; drafts, and other townships' reports, are not.
_ISSUED = "(state IN ('final', 'withdrawn') AND town_id IS NULL AND school_id IS NULL)"
_REPORT = "EXISTS (SELECT 1 FROM reports_report r WHERE r.id = report_id)"


class Migration(migrations.Migration):
    """Reports hold counts, not children; even so a township sees its own and what the county has issued."""

    dependencies = [("reports", "0001_tables"), ("core", "0002_row_security")]
    operations = [
        row_policy("reports_report", towns=("town_id",), schools=("school_id",), through=_ISSUED),
        row_policy("reports_figure", through=_REPORT),
    ]
