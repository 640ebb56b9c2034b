"""Registry exports 学籍 of the national student-record system, by township, in its two generations of columns.

The first generation has no grade column: class numbers such as 三（2）班 say it, and the auxiliary number 学籍辅号 carries
the registry number. In the second generation the continuation mark 学籍接续标识 carries it.
"""

import random
from dataclasses import dataclass
from datetime import date
from typing import Literal

from students.demo.accounts import letter
from students.demo.enrolments import GRADES, Enrolment, Grade
from students.demo.people import Person
from students.demo.places import COUNTY, Region
from students.demo.slips import BAD_ID, DATE_STYLES, REGISTRY_SLIPS, Entry, Slips
from students.demo.words import words
from students.demo.workbooks import Sheet, Workbook
from students.demo.world import World
from students.demo.xlsx import Cell

AS_OF = date(2026, 9, 20)

_MEMBER = words(
    "姓名 关系 关系说明 现住址 户口所在地行政区划 联系电话 是否监护人 身份证件类型 身份证件号 民族 工作单位 职务"
)
_MEMBERS = tuple(f"成员{number}{what}" for number in (1, 2) for what in _MEMBER)
FIRST_GENERATION = (
    *words(
        "学校标识码 姓名 性别 出生日期 出生地行政区划代码 籍贯 民族 国籍/地区 身份证件类型 港澳台侨外 健康状况 政治面貌 身份证件号 户口性质 "
        "户口所在地行政区划 班号 入学年月 入学方式 就读方式 现住址 通信地址 家庭地址 联系电话 邮政编码 是否独生子女 是否受过学前教育 "
        "是否留守儿童 是否需要申请资助 是否享受一补 是否孤儿 是否烈士或优抚子女 上下学距离 上下学方式 是否需要乘坐校车 曾用名 "
        "身份证件有效期 血型 特长 学籍辅号 班内学号 学生来源 电子信箱 主页地址 残疾类型 是否由政府购买学位 随班就读"
    ),
    *_MEMBERS,
    "是否进城务工人员随迁子女",
)
SECOND_GENERATION = (
    *words(
        "学籍接续标识 学校标识码 姓名 性别 出生日期 身份证件类型 身份证件号 出生地行政区划代码 民族 国籍/地区 港澳台侨外 户口性质 "
        "户口所在地行政区划 现住址 是否独生子女 是否留守儿童 是否进城务工人员随迁子女 是否孤儿 籍贯 健康状况 政治面貌 年级 班级号 入学年月 "
        "入学方式 就读方式 通信地址 家庭地址 联系电话 邮政编码 是否受过学前教育 残疾人类型 是否由政府购买学位 是否需要申请资助 "
        "是否享受一补 是否烈士或优抚子女 上下学距离 上下学交通方式 是否乘坐校车 曾用名 身份证件有效期 特长 学籍辅号 班内学号 学生来源 "
        "电子信箱 主页地址"
    ),
    *_MEMBERS,
)

Dialect = Literal["label", "code-label", "code"]
_ETHNIC_CODES = {
    "汉族": "01",
    "回族": "03",
    "维吾尔族": "05",
    "苗族": "06",
    "壮族": "08",
    "满族": "11",
    "土家族": "15",
    "哈萨克族": "17",
    "畲族": "22",
}
_ID_TYPE_CODES = {"居民身份证": "1", "护照": "A", "其他": "Z"}
_SEX_CODES = {"男": "1", "女": "2"}
_YES_CODES = {"否": "0", "是": "1"}
_STAY_CODES = {"走读": "1", "住校": "2"}
_LEFT_BEHIND = ("非留守儿童", "单亲留守儿童", "双亲留守儿童")
_HEALTH_CODES = {"健康或良好": "10", "一般或较弱": "20", "残疾": "50"}
_POLITICS_CODES = {"群众": "13", "共青团员": "03"}
_DISABILITY_CODES = {
    "视力残疾": "1",
    "听力残疾": "2",
    "言语残疾": "3",
    "肢体残疾": "4",
    "智力残疾": "5",
    "精神残疾": "6",
    "多重残疾": "7",
    "无残疾": "0",
}


@dataclass(frozen=True, slots=True)
class _Style:
    """How a township's export writes things."""

    headers: tuple[str, ...]
    dialect: Dialect
    born: str
    filename: str  # with {town}


_FIRST = "{town}学籍基本信息表2026秋.xlsx"
_SECOND = "{town}学籍信息导出20260920.xlsx"
_STYLES = (
    _Style(SECOND_GENERATION, "label", "compact", _SECOND),
    _Style(FIRST_GENERATION, "label", "compact", _FIRST),
    _Style(SECOND_GENERATION, "label", "dashed", _SECOND),
    _Style(FIRST_GENERATION, "label", "compact", _FIRST),
    _Style(SECOND_GENERATION, "code-label", "compact", _SECOND),
    _Style(FIRST_GENERATION, "code-label", "compact", _FIRST),
    _Style(SECOND_GENERATION, "label", "compact", _SECOND),
    _Style(FIRST_GENERATION, "label", "dashed", _FIRST),
    _Style(SECOND_GENERATION, "label", "date", _SECOND),
    _Style(FIRST_GENERATION, "label", "compact", _FIRST),
    _Style(SECOND_GENERATION, "code", "compact", _SECOND),
    _Style(FIRST_GENERATION, "code", "compact", _FIRST),
)


def class_name(grade: Grade, number: int) -> str:
    """Return a class name that says its grade: 三（2）班, 七（1）班, 高一（3）班, 小（1）班."""
    return f"{_grade_stem(grade)}（{number}）班"


def _class_with_grade(grade: Grade, number: int) -> str:
    """Return the class number of the export, where kindergartens write 小班1班."""
    return f"{grade.name}{number}班" if grade.stage == "kindergarten" else class_name(grade, number)


def _grade_stem(grade: Grade) -> str:
    if grade.stage == "kindergarten":
        return grade.name[0]
    return grade.name.removesuffix("年级")


def make_registry_lists(world: World) -> list[Workbook]:
    """Make the export of each township, school after school."""
    by_region: dict[str, list[Enrolment]] = {}
    for enrolment in world.enrolments:
        if enrolment.registered and enrolment.school:
            by_region.setdefault(enrolment.school.region, []).append(enrolment)
    return [
        _workbook(world, township, position, by_region[township.code])
        for position, township in enumerate(world.places.townships)
        if township.code in by_region
    ]


def _workbook(world: World, township: Region, position: int, enrolments: list[Enrolment]) -> Workbook:
    style = _STYLES[position]
    filename = style.filename.format(town=township.name)
    rng = world.rng(f"registry:{township.code}")
    slips = Slips(rng, world.rates, REGISTRY_SLIPS)
    sheet = Sheet("学生基本信息")
    sheet.add_header(style.headers)
    order = {grade.code: place for place, grade in enumerate(GRADES)}
    enrolments.sort(
        key=lambda enrolment: (
            enrolment.school.code if enrolment.school else "",
            order[enrolment.grade.code] if enrolment.grade else 0,
            enrolment.class_number,
            enrolment.person.number,
        )
    )
    seats: dict[tuple[str, str, int], int] = {}
    writer = _Writer(world, style, rng)
    for enrolment in enrolments:
        child = enrolment.person
        entry = slips.entry(
            child, force=BAD_ID if child.number in world.broken_links else (), phone=child.household.phones[0]
        )
        if not enrolment.seated:
            entry.planted.append("registry-only")
        assert enrolment.school and enrolment.grade
        seat_key = (enrolment.school.code, enrolment.grade.code, enrolment.class_number)
        seats[seat_key] = seats.get(seat_key, 0) + 1
        sheet.rows.append(writer.row(enrolment, entry, seats[seat_key]))
        world.truth.add(filename, sheet.name, len(sheet.rows), child.number, entry.kinds)
    return Workbook(
        filename=filename,
        kind="registry",
        scope_code=township.code,
        as_of=AS_OF,
        sheets=[sheet],
        uploaded_by=f"town-{letter(position)}",
        approved_by="county",
        group=filename,
        note="全国学籍系统导出",
    )


class _Writer:
    """Writes the cells of a pupil in the columns and dialect of one export."""

    def __init__(self, world: World, style: _Style, rng: random.Random) -> None:
        self._rates = world.rates
        self._style = style
        self._rng = rng
        self._region_names = {region.code: region.name for region in world.places.regions}
        self._yes = {label: self._coded(label, code) for label, code in _YES_CODES.items()}

    def _coded(self, label: str, code: str) -> str:
        if self._style.dialect == "label":
            return label
        return code if self._style.dialect == "code" else f"{code}-{label}"

    def row(self, enrolment: Enrolment, entry: Entry, seat: int) -> list[Cell]:
        """Return the cells; what the registry gets wrong about the pupil is added to the entry's slips."""
        rng = self._rng
        grade, boarding = enrolment.grade, enrolment.boarding
        assert grade and enrolment.school
        if enrolment.school.boarding and grade.stage != "kindergarten" and rng.random() < self._rates.boarding_differs:
            boarding = not boarding
            entry.planted.append("boarding-differs")
        if grade.number > 1 and rng.random() < self._rates.grade_differs:
            grade = GRADES[GRADES.index(grade) - 1]
            entry.planted.append("grade-differs")
        if entry.person.old_id and enrolment.registry_no.startswith("G"):
            entry.planted.append("old-id-in-registry-number")
        values = self._pupil(enrolment, entry, grade, boarding)
        values["班内学号"] = f"{seat:02d}"
        self._add_members(values, entry.person)
        return [values.get(header, "") for header in self._style.headers]

    def _pupil(self, enrolment: Enrolment, entry: Entry, grade: Grade, boarding: bool) -> dict[str, Cell]:
        rng, coded, yes = self._rng, self._coded, self._yes
        child, household = entry.person, entry.person.household
        school = enrolment.school
        assert school
        rural = household.village is None or not household.village.urban
        disability = child.disability or "无残疾"
        health = "残疾" if child.disability else "一般或较弱" if rng.random() < 0.01 else "健康或良好"
        politics = "共青团员" if grade.stage in ("senior", "vocational") and rng.random() < 0.4 else "群众"
        stay = "住校" if boarding else "走读"
        migrant = household.village is None
        return {
            "学籍接续标识": enrolment.registry_no,
            "学籍辅号": enrolment.registry_no if self._style.headers is FIRST_GENERATION else "",
            "学校标识码": school.code,
            "姓名": entry.name,
            "性别": coded(entry.sex, _SEX_CODES[entry.sex]),
            "出生日期": DATE_STYLES[entry.born_as or self._style.born](entry.born),
            "出生地行政区划代码": f"{(child.id_no or COUNTY)[:6]}000000" if child.id_type != "护照" else "",
            "籍贯": "示例省示例县" if not migrant else f"示例省{self._region_names[household.origin]}",
            "民族": entry.ethnic
            if "ethnic-short" in entry.planted
            else coded(entry.ethnic, _ETHNIC_CODES[entry.ethnic]),
            "国籍/地区": "中国" if child.id_type != "护照" else "越南",
            "身份证件类型": coded(child.id_type, _ID_TYPE_CODES[child.id_type]),
            "身份证件号": entry.id_no,
            "港澳台侨外": coded("否", "00"),
            "健康状况": coded(health, _HEALTH_CODES[health]),
            "政治面貌": coded(politics, _POLITICS_CODES[politics]),
            "户口性质": coded("农业户口" if rural else "非农业户口", "1" if rural else "2"),
            "户口所在地行政区划": household.origin.ljust(12, "0"),
            "班号": _class_with_grade(grade, enrolment.class_number),
            "年级": grade.name,
            "班级号": f"{enrolment.class_number}班",
            "入学年月": f"{enrolment.entered:%Y%m}",
            "入学方式": coded("就近入学", "11") if grade.age <= 14 else coded("统一招生考试/普通入学", "21"),
            "就读方式": coded(stay, _STAY_CODES[stay]),
            "现住址": household.address,
            "通信地址": household.address,
            "家庭地址": household.address,
            "联系电话": entry.phone,
            "邮政编码": "990000",
            "是否独生子女": yes["是" if len(household.children) == 1 else "否"],
            "是否受过学前教育": yes["是"],
            "是否留守儿童": coded(_LEFT_BEHIND[child.left_behind], str(child.left_behind)),
            "是否需要申请资助": yes["是" if household.poverty or child.hardship else "否"],
            "是否享受一补": yes["是" if household.poverty and boarding else "否"],
            "是否孤儿": yes["是" if "孤儿" in child.hardship else "否"],
            "是否烈士或优抚子女": yes["是" if "烈士子女" in child.hardship else "否"],
            "上下学距离": str(rng.choice((1, 1, 2, 2, 3, 4, 5, 8))),
            "上下学方式": "步行" if not boarding else "家长接送",
            "上下学交通方式": "步行" if not boarding else "家长接送",
            "是否需要乘坐校车": yes["否"],
            "是否乘坐校车": yes["否"],
            "曾用名": child.former_name,
            "学生来源": coded("正常入学", "1"),
            "残疾类型": coded(disability, _DISABILITY_CODES[disability]),
            "残疾人类型": coded(disability, _DISABILITY_CODES[disability]),
            "是否由政府购买学位": yes["否"],
            "随班就读": yes["是" if child.disability and school.kind != "special" else "否"],
            "是否进城务工人员随迁子女": yes["是" if migrant else "否"],
        }

    def _add_members(self, values: dict[str, Cell], child: Person) -> None:
        household = child.household
        parents: list[tuple[Person | None, str]] = [(household.father, "父亲"), (household.mother, "母亲")]
        found = [(person, relation) for person, relation in parents if person]
        if not found and household.grandfather:
            found = [(household.grandfather, "祖父")]
        for number, (person, relation) in enumerate(found, start=1):
            prefix = f"成员{number}"
            values[f"{prefix}姓名"] = person.name
            values[f"{prefix}关系"] = relation
            values[f"{prefix}现住址"] = household.address
            values[f"{prefix}户口所在地行政区划"] = household.origin.ljust(12, "0")
            values[f"{prefix}联系电话"] = household.phones[number - 1]
            values[f"{prefix}是否监护人"] = self._yes["是"]
            values[f"{prefix}身份证件类型"] = self._coded("居民身份证", "1")
            values[f"{prefix}身份证件号"] = person.id_no
            values[f"{prefix}民族"] = self._coded(person.ethnic, _ETHNIC_CODES[person.ethnic])
