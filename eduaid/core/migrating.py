"""Migrations that make many tables at once."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import AddConstraint, AddField, AddIndex, AlterField, CreateModel
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

_PARTS = (AddField, AlterField, AddIndex, AddConstraint)


class InOneGo(Operation):
    """Takes the operations of a migration as one step, from the state before all of them to the state after.

    Django draws every related model anew after each operation, which grows with the square of the models: seventy new tables
    took a minute of every fresh installation. A table that is made here is made in its final form; what the operations
    behind add to it is part of that. So no operation may depend on a state between: nothing is renamed or removed here.
    """

    reduces_to_sql = True
    atomic = True

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.operations = operations
        self._made = {operation.name_lower for operation in operations if isinstance(operation, CreateModel)}

    @property
    def reversible(self) -> bool:  # type: ignore[override]  # a constant of other operations
        return all(operation.reversible for operation in self.operations)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.__dict__.pop("apps", None)  # drawn anew when it is asked for next, once
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        for operation in self.operations:
            if not self._is_part(operation):
                operation.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        for operation in reversed(self.operations):
            if not self._is_part(operation):
                operation.database_backwards(app_label, schema_editor, from_state, to_state)

    def _is_part(self, operation: Operation) -> bool:
        """Whether the operation adds to a table that is made here."""
        return isinstance(operation, _PARTS) and operation.model_name.lower() in self._made

    def describe(self) -> str:
        return "; ".join(operation.describe() for operation in self.operations)
