from django.apps import AppConfig


class StudentsConfig(AppConfig):
    name = "students"
    verbose_name = "学生"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Registers the roster kinds, the indicators, and how a teacher's children are found."""
        from eduaid.core import scope  # noqa: PLC0415  (they need the models, which exist only now)
        from students import care_indicators, indicators, rosters  # noqa: F401, PLC0415  (they register themselves)
        from students.models import care  # noqa: PLC0415  (as above)

        scope.on_assignment(care.children_of)
