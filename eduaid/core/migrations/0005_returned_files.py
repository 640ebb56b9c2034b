import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from eduaid.core.database import row_policy


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0004_departures"),
    ]

    operations = [
        migrations.CreateModel(
            name="ReturnedFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=255, verbose_name="文件名")),
                ("size", models.PositiveIntegerField(verbose_name="字节数")),
                ("sha256", models.CharField(max_length=64, verbose_name="文件指纹")),
                ("stored_as", models.CharField(max_length=80)),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="时间")),
                ("merged_at", models.DateTimeField(null=True, verbose_name="合并时间")),
                ("cells_changed", models.PositiveIntegerField(default=0, verbose_name="改动格数")),
                ("rows_changed", models.PositiveIntegerField(default=0, verbose_name="改动行数")),
                ("rows_added", models.PositiveIntegerField(default=0, verbose_name="新增行数")),
                ("rows_withdrawn", models.PositiveIntegerField(default=0, verbose_name="删去行数")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="上传人",
                    ),
                ),
                (
                    "upload",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="returned", to="core.upload"
                    ),
                ),
            ],
            options={
                "ordering": ["upload", "pk"],
            },
        ),
        row_policy("core_returnedfile", through="EXISTS (SELECT 1 FROM core_upload u WHERE u.id = upload_id)"),
    ]
