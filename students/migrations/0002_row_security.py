from django.db import migrations

from eduaid.core.database import row_policy

_CHILD = "EXISTS (SELECT 1 FROM students_student s WHERE s.id = student_id)"


class Migration(migrations.Migration):
    """A child with hukou in A and school in B is seen by both; what hangs on the child follows the child."""

    dependencies = [("students", "0001_tables"), ("core", "0002_row_security")]
    operations = [
        row_policy("students_student", towns=("hukou_town_id", "school_town_id"), schools=("school_id",)),
        row_policy("students_studentevent", towns=("hukou_town_id", "school_town_id"), schools=("school_id",)),
        row_policy("students_correctionevent", through=_CHILD),
        row_policy("students_enrolmentevent", through=_CHILD),
        row_policy("students_identitylinkevent", through="EXISTS (SELECT 1 FROM core_uploadrow r WHERE r.id = row_id)"),
        row_policy("students_household", towns=("town_id",)),
        row_policy("students_enrolment", through=_CHILD),
        row_policy("students_correction", through=_CHILD),
        row_policy("students_identifier", through=_CHILD),
        row_policy("students_identitylink", through="EXISTS (SELECT 1 FROM core_uploadrow r WHERE r.id = row_id)"),
    ]
