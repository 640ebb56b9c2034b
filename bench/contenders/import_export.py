"""django-import-export on a plain model with the same columns: no checks, no seals, no history, no undo.

`run_default` does what its admin does with an uploaded file: parse, dry run with the differences for the preview, parse
again, import. `run_tuned` turns every switch that its documentation offers for speed, and leaves the dry run out.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, connections, models
from import_export import fields, resources, widgets
from import_export.formats.base_formats import XLSX
from import_export.instance_loaders import CachedInstanceLoader

from bench.contenders import Files
from bench.measuring import Steps
from bench.roster import COLUMNS, Column


def _model_field(column: Column) -> models.Field[Any, Any]:
    if column.sql == "integer":
        return models.IntegerField(null=True)
    if column.sql == "date":
        return models.DateField(null=True)
    return models.CharField(max_length=200, default="", unique=column.key == "id_number")


class _Meta:
    app_label = "contenders"
    managed = False
    db_table = "bench_plainpupil"


_MODEL_FIELDS = {column.key: _model_field(column) for column in COLUMNS}
PlainPupil: type[models.Model] = type(
    "PlainPupil", (models.Model,), {"__module__": __name__, "Meta": _Meta, **_MODEL_FIELDS}
)
_WIDGETS = {"integer": widgets.IntegerWidget, "date": widgets.DateWidget, "text": widgets.CharWidget}
_FIELDS = {
    column.key: fields.Field(attribute=column.key, column_name=column.header, widget=_WIDGETS[column.sql]())
    for column in COLUMNS
}


class _DefaultMeta:
    model = PlainPupil
    fields = tuple(column.key for column in COLUMNS)
    import_id_fields = ("id_number",)


class _TunedMeta(_DefaultMeta):
    use_bulk = True
    batch_size = 1000
    instance_loader_class = CachedInstanceLoader
    skip_diff = True
    skip_html_diff = True
    report_skipped = False


_Resource = type[resources.ModelResource]
Default: _Resource = type("Default", (resources.ModelResource,), {"Meta": _DefaultMeta} | _FIELDS)
Tuned: _Resource = type("Tuned", (resources.ModelResource,), {"Meta": _TunedMeta} | _FIELDS)


def run_default(files: Files, steps: Steps) -> None:
    before = _rows()
    with steps.timed("first import"):
        with steps.timed("  dry run"):
            _import(Default, files.first, dry_run=True)
        with steps.timed("  import"):
            _import(Default, files.first, dry_run=False)
    assert _rows() == before + files.rows


def run_tuned(files: Files, steps: Steps) -> None:
    before = _rows()
    with steps.timed("first import"):
        _import(Tuned, files.first, dry_run=False)
    assert _rows() == before + files.rows


def _import(resource: _Resource, data: bytes, *, dry_run: bool) -> None:
    result = resource().import_data(XLSX().create_dataset(data), dry_run=dry_run, raise_errors=False)
    errors = [*result.base_errors, *(error for _, row in result.row_errors() for error in row)]
    assert not errors, repr(errors[0].error)
    assert not result.has_validation_errors(), result.invalid_rows[0].error


def _rows() -> int:
    """The rows of the peer's table, which is made when it is not there."""
    if PlainPupil._meta.db_table not in connection.introspection.table_names():
        role = connection.settings_dict["USER"]
        with connections["owner"].schema_editor() as editor:
            editor.create_model(PlainPupil)
            editor.execute(f"GRANT ALL ON {PlainPupil._meta.db_table}, {PlainPupil._meta.db_table}_id_seq TO {role}")
        connections["owner"].close()
    return int(PlainPupil._default_manager.count())
