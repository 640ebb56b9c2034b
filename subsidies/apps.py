from django.apps import AppConfig


class SubsidiesConfig(AppConfig):
    name = "subsidies"
    verbose_name = "学生资助"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Registers the indicators."""
        from subsidies import indicators  # noqa: F401, PLC0415  (they need the models, which exist only now)

    def load_seeds(self) -> None:
        """The state's programmes and standards; called by `manage.py upgrade`."""
        from subsidies import seeding  # noqa: PLC0415  (it needs the models, which exist only now)

        seeding.load_seeds()
