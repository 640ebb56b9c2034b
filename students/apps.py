from django.apps import AppConfig


class StudentsConfig(AppConfig):
    name = "students"
    verbose_name = "学生"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Registers the roster kinds and the indicators."""
        from students import indicators, rosters  # noqa: F401, PLC0415  (they need the models, which exist only now)
