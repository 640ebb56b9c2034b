"""One precedence table: for each concept, which kinds of list say it, the most trusted first (docs/architecture.md).

A concept is a group of resolved columns that always come from the same row. Provenance is read off this table: the source of a
value is the first kind in its order whose row in force says anything of it.
"""

from __future__ import annotations

from dataclasses import dataclass

POPULATION, REGISTRY, ROSTER, POVERTY, HARDSHIP, DISABILITY = (
    "population",
    "registry",
    "class-roster",
    "poverty-register",
    "hardship",
    "disability",
)
KINDS = (POPULATION, REGISTRY, ROSTER, POVERTY, HARDSHIP, DISABILITY)


@dataclass(frozen=True)
class Concept:
    """`columns`: resolved column → SQL type of the value in a row's facts; `{row}` sources name a column of the row itself.

    `says`: the fact whose presence means that a row speaks of the concept.
    """

    key: str
    label: str
    order: tuple[str, ...]
    columns: dict[str, str]
    says: str
    correctable: bool = True


CONCEPTS: tuple[Concept, ...] = (
    Concept(
        "name",
        "姓名",
        (POPULATION, REGISTRY, ROSTER, POVERTY, HARDSHIP),
        {"name": "text", "name_key": "text", "pinyin": "text"},
        "name",
    ),
    Concept("sex", "性别", (POPULATION, REGISTRY, ROSTER, POVERTY, HARDSHIP), {"sex": "text"}, "sex"),
    Concept("birth", "出生日期", (POPULATION, REGISTRY, ROSTER, POVERTY, HARDSHIP), {"birth_on": "date"}, "birth_on"),
    Concept(
        "id",
        "证件号码",
        (POPULATION, REGISTRY, ROSTER, POVERTY, HARDSHIP),
        {"id_type": "text", "id_prefix": "text", "id_digest": "bytea", "id_tail_digest": "bytea"},
        "id_digest",
    ),
    Concept(
        "registry-number",
        "学籍号",
        (REGISTRY, ROSTER),
        {"registry_digest": "bytea"},
        "registry_digest",
        correctable=False,
    ),
    Concept("ethnicity", "民族", (POPULATION, REGISTRY, ROSTER, POVERTY), {"ethnicity": "text"}, "ethnicity"),
    Concept(
        "hukou",
        "户籍地",
        (POPULATION, POVERTY, REGISTRY),
        {"hukou_town_id": "bigint", "hukou_village_id": "bigint", "hukou_outside": "boolean"},
        "hukou_known",
    ),
    Concept(
        "schooling",
        "就读学校与班级",
        (ROSTER, REGISTRY),
        {"school_id": "bigint", "school_town_id": "bigint", "grade": "text", "class_name": "text"},
        "school_id",
    ),
    Concept("boarding", "是否寄宿", (ROSTER, REGISTRY), {"boarding": "boolean"}, "boarding"),
    Concept("left-behind", "留守类型", (ROSTER, REGISTRY), {"left_behind": "text"}, "left_behind"),
    Concept("migrant", "是否随迁子女", (REGISTRY, ROSTER), {"migrant": "boolean"}, "migrant"),
    Concept("orphan", "是否孤儿", (REGISTRY, ROSTER), {"orphan": "boolean"}, "orphan"),
    Concept("disability", "残疾类型", (DISABILITY, HARDSHIP, REGISTRY, ROSTER), {"disability": "text"}, "disability"),
    Concept("guardian", "监护人", (ROSTER, REGISTRY), {"guardian": "text"}, "guardian"),
)

BY_KEY = {concept.key: concept for concept in CONCEPTS}
COLUMNS: dict[str, str] = {column: sql for concept in CONCEPTS for column, sql in concept.columns.items()}

# Which list names the child at all; the flag's column by kind.
MEMBERSHIP = {
    POPULATION: "in_population",
    REGISTRY: "in_registry",
    ROSTER: "in_roster",
    POVERTY: "in_poverty",
    HARDSHIP: "in_hardship",
}

# Columns that are never null in the table: an absent value is the empty string or false.
EMPTY: dict[str, str] = {
    "name": "''",
    "name_key": "''",
    "pinyin": "''",
    "sex": "''",
    "ethnicity": "''",
    "id_type": "''",
    "id_prefix": "''",
    "hukou_outside": "false",
    "grade": "''",
    "class_name": "''",
    "left_behind": "''",
    "disability": "''",
    "guardian": "''",
}
