from django.db import migrations

from eduaid.core.database import row_policy

_LIST = "EXISTS (SELECT 1 FROM core_upload u WHERE u.id = upload_id)"
# What belongs to a row of a county-wide list is seen with the row.
_ROW = f"{_LIST} OR EXISTS (SELECT 1 FROM core_uploadrow r WHERE r.id = row_id)"


class Migration(migrations.Migration):
    """The second wall: a township's connection holds no other township's lists, whatever a query forgot."""

    dependencies = [("core", "0001_tables")]
    operations = [
        row_policy("core_upload", towns=("town_id",), schools=("school_id",)),
        row_policy("core_uploadevent", through="EXISTS (SELECT 1 FROM core_upload u WHERE u.id = pgh_obj_id)"),
        row_policy("core_uploadfile", through=_LIST),
        row_policy("core_uploadsheet", through=_LIST),
        row_policy("core_uploadrow", towns=("town_id",), schools=("school_id",), through=_LIST),
        row_policy("core_celledit", through=_ROW),
        row_policy("core_finding", through=_ROW),
    ]
