"""Population 户籍人口: persons with hukou in a township, from the police; the 6–15 list or the 3–22 sweep (摸排)."""

from eduaid.core.lists import Column, ListKind, Place
from eduaid.core.roles import Reach

from . import checks, departures, locate
from . import columns as c
from .destination import CHILDREN

HUKOU_ADDRESS = Column(
    "hukou_address",
    "户籍地址",
    lambda reading: reading.regions.parse_address,
    (
        "户口所在地",
        "户籍所在地",
        "户籍地址（省/市/县区/乡镇街道/详细地址）",
        "户口所在地行政区划",
        "户籍详细地址",
        "住址",
        "地址",
    ),
    facts=lambda _found: {},
)

POPULATION = ListKind(
    key="population",
    label="户籍人口",
    source="公安派出所，按乡镇",
    about="公安提供的户籍在本镇的适龄人口，是“一个不能少”的底数。一行一人，必须有姓名和身份证号。",
    columns=(
        c.SEQUENCE,
        c.HOUSEHOLD_NUMBER,
        c.HEAD_NAME,
        c.HEAD_ID,
        c.RELATION,
        c.NAME,
        c.FORMER_NAME,
        c.SEX,
        c.ETHNICITY,
        c.BIRTH,
        c.ID_KIND,
        c.required(c.ID_NUMBER),
        HUKOU_ADDRESS,
        c.TOWN,
        c.VILLAGE,
        c.PHONE,
        c.NOTE,
    ),
    checks=checks.POPULATION,
    place=Place.TOWNSHIP,
    locate=locate.with_hukou,
    destination=CHILDREN,
    senders=frozenset({Reach.COUNTY, Reach.TOWNSHIP}),
    departures=departures.POPULATION,
)
