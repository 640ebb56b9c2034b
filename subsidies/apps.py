from django.apps import AppConfig


class SubsidiesConfig(AppConfig):
    name = "subsidies"
    verbose_name = "学生资助"
    default_auto_field = "django.db.models.BigAutoField"
