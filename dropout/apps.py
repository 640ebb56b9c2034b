from django.apps import AppConfig


class DropoutConfig(AppConfig):
    name = "dropout"
    verbose_name = "控辍保学"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Registers the list kinds and the indicators."""
        from dropout import indicators, lists, proof_indicators  # noqa: F401, PLC0415  (they need the models, which exist only now)
