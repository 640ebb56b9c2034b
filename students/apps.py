from django.apps import AppConfig


class StudentsConfig(AppConfig):
    name = "students"
    verbose_name = "学生"
    default_auto_field = "django.db.models.BigAutoField"
