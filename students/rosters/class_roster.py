"""Class roster 班级名册: the pupils really sitting in class, from each school, each term, in whatever form it keeps them."""

from eduaid.core.lists import Column, ListKind, Place, plain
from eduaid.core.roles import Reach

from . import checks, departures, locate
from . import columns as c
from .destination import CHILDREN

CLASS_ROSTER = ListKind(
    key="class-roster",
    label="班级名册",
    source="各学校，每学期",
    about="每学期实际坐在教室里的学生。一个工作表一个班、几个文件一起上传都可以；没有学校列时按标题中的校名认。",
    columns=(
        c.SEQUENCE,
        c.SCHOOL_CODE,
        c.SCHOOL_NAME,
        c.GRADE,
        c.CLASS,
        c.NAME,
        c.FORMER_NAME,
        c.SEX,
        c.BIRTH,
        c.ETHNICITY,
        c.ID_KIND,
        c.ID_NUMBER,
        c.REGISTRY_NUMBER,
        c.BOARDING,
        c.LEFT_BEHIND,
        c.MIGRANT,
        c.ORPHAN,
        c.DISABILITY,
        c.GUARDIAN,
        c.GUARDIAN_RELATION,
        c.GUARDIAN_PHONE,
        c.PHONE,
        c.ADDRESS,
        c.HOME_ADDRESS,
        Column("class_teacher", "班主任", plain(c.text), ("班主任姓名",)),
        c.NOTE,
    ),
    checks=checks.PUPIL,
    place=Place.SCHOOL,
    locate=locate.by_school,
    destination=CHILDREN,
    senders=frozenset({Reach.COUNTY, Reach.TOWNSHIP, Reach.SCHOOL}),
    departures=departures.SCHOOL,
    registry_column="registry_number",
)
