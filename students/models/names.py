"""The search box's index: by what a name can be found. It holds names, not children, and so needs no row-level security."""

from django.db import models


class NamePart(models.Model):
    """A name begins with `part`, or ends with it, or sounds like it: every ending of each name, and each of its sounds.

    What stands inside a name is the beginning of one of its endings, so one ordered index answers every question by a
    range. (Under row-level security no index helps LIKE or arrays: their operators may not run before the policy.) Written
    by `students.search.learn` after lists took force; names that nobody bears any more stay, and find nobody.
    """

    pk = models.CompositePrimaryKey("part", "name_key")
    part = models.CharField(max_length=60, db_collation="C")
    name_key = models.CharField(max_length=60)
