from django.db import migrations, models

_RULES = [
    ("id", "证件号与姓名一致"),
    ("registry", "学籍号与姓名一致"),
    ("key", "预填表的行标识与姓名一致"),
    ("name-birth", "姓名、出生日期一致（均无有效证件号）"),
    ("new", "首次出现"),
    ("person", "人工认定"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0007_uploadrow_continues"),
        ("students", "0004_namepart"),
    ]

    operations = [
        migrations.AlterField(
            model_name=model,
            name="rule",
            field=models.CharField(choices=_RULES, max_length=10, verbose_name="依据"),
        )
        for model in ("identitylink", "identitylinkevent")
    ]
