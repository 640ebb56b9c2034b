"""The poverty register 建档立卡 / 监测对象: whole households with their adults, from the office of rural revitalisation.

Three files: the export of 27 columns for most of the county, the export of 18 columns for one township, and the people
under monitoring in the form of 防返贫监测 with the reason why a child of compulsory age is in no school.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from students.demo.enrolments import Enrolment
from students.demo.people import POVERTY, Household, Person
from students.demo.slips import POVERTY_SLIPS, Entry, Slips
from students.demo.words import words
from students.demo.workbooks import Sheet, Workbook
from students.demo.world import World
from students.demo.xlsx import Cell

AS_OF = date(2026, 9, 1)
_TOWNSHIP_AS_OF = date(2026, 9, 5)
_MONITORED_AS_OF = date(2026, 9, 8)
_SMALL_FORM_TOWNSHIP = 7  # position of the township that exports 18 columns

FULL_EXPORT = words(
    "行政县 乡镇 行政村 自然村 户编号 人编号 姓名 证件号码 人数 与户主关系 民族 文化程度 在校生状况 健康状况 劳动技能 务工状况 务工时间 "
    "参加大病医疗 脱贫属性 脱贫年度 贫困户属性 主要致贫原因 危房户 饮水安全 饮水困难 人均纯收入 联系电话"
)
SMALL_EXPORT = words(
    "县区 乡镇 乡村 户编号 人编号 姓名 证件号码 人数 与户主关系 民族 文化程度 在校生状况 健康状况 劳动技能 脱贫属性 贫困户属性 "
    "主要致贫原因 联系电话"
)
MONITORING_EXPORT = words(
    "县 乡 村 户编号 人口编号 姓名 证件号码 与户主关系 性别 证件类型 出生日期 民族 家庭成员联系电话 文化程度 在校生状况 劳动技能 "
    "务工时间（月） 健康状况 政治面貌 是否参加城乡居民基本医疗保险 是否参加城乡居民基本养老保险 是否会讲普通话 义务教育阶段未上学原因 "
    "户主证件号码 户主姓名 户类型 监测对象类别 是否特困供养人员 是否事实无人抚养儿童 残疾证办证年度"
)
_CAUSES = ("因病", "因残", "因学", "缺技术", "缺资金", "缺劳力", "自身发展力不足")
_IN_SCHOOL = {
    "21": "小学",
    "22": "小学",
    "23": "小学",
    "24": "小学",
    "25": "小学",
    "26": "小学",
    "31": "七年级",
    "32": "八年级",
    "33": "九年级",
    "41": "普通高中一年级",
    "42": "普通高中二年级",
    "43": "普通高中三年级",
    "51": "中职一年级",
    "52": "中职二年级",
    "53": "中职三年级",
}
_GRADE_BEFORE = {"八年级": "七年级", "九年级": "八年级", "七年级": "小学", "普通高中一年级": "九年级"}


@dataclass(frozen=True, slots=True)
class _Form:
    headers: tuple[str, ...]
    titles: tuple[str, ...]


def make_poverty_register(world: World) -> list[Workbook]:
    """Make the three files, without those that would be empty; every poor household stands in exactly one of them."""
    small = world.places.townships[_SMALL_FORM_TOWNSHIP]
    poor = [household for household in world.population.households if household.poverty]
    poor.sort(key=lambda household: (household.origin, household.poverty_no))
    registered = [household for household in poor if household.poverty == POVERTY[0]]
    county = _Maker(world, "poverty:county", _Form(FULL_EXPORT, ("示例县脱贫户（原建档立卡贫困户）家庭成员信息表",)))
    township = _Maker(world, "poverty:township", _Form(SMALL_EXPORT, ()))
    monitored = _Maker(
        world,
        "poverty:monitored",
        _Form(
            MONITORING_EXPORT,
            ("示例县防返贫监测对象家庭成员信息", "数据来源：全国防返贫监测信息系统　　导出日期：2026-09-08"),
        ),
    )
    county_code = small.parent
    files = [
        county.workbook(
            "示例县脱贫户信息202609.xlsx",
            [household for household in registered if household.township != small.code],
            scope_code=county_code,
            as_of=AS_OF,
        ),
        township.workbook(
            f"{small.name}贫困人口导出.xls",
            [household for household in registered if household.township == small.code],
            scope_code=small.code,
            as_of=_TOWNSHIP_AS_OF,
        ),
        monitored.workbook(
            "防返贫监测对象（全县）.xlsx",
            [household for household in poor if household.poverty != POVERTY[0]],
            scope_code=county_code,
            as_of=_MONITORED_AS_OF,
            supplement=True,
        ),
    ]
    return [file for file in files if len(file.sheets[0].rows) > file.sheets[0].header_row]


def poverty_attribute(household: Household) -> str:
    """Return what the register says of a household in its column 贫困户属性 or 监测对象类别."""
    if household.poverty != POVERTY[0]:
        return household.poverty
    return "低保贫困户" if household.dibao else "一般贫困户"


class _Maker:
    """Writes households in one form."""

    def __init__(self, world: World, purpose: str, form: _Form) -> None:
        self._world = world
        self._form = form
        self._rng = world.rng(purpose)
        self._slips = Slips(self._rng, world.rates, POVERTY_SLIPS)

    def workbook(
        self,
        filename: str,
        households: Sequence[Household],
        *,
        scope_code: str,
        as_of: date,
        supplement: bool = False,
    ) -> Workbook:
        """Write one file, a row for each member."""
        sheet = Sheet("Sheet1")
        sheet.add_titles(self._form.titles, len(self._form.headers))
        sheet.add_header(self._form.headers)
        for household in households:
            shared = self._household_cells(household)
            for number, (member, relation) in enumerate(_members(household), start=1):
                entry = self._entry(member)
                values = shared | self._member_cells(household, entry, number, relation)
                sheet.rows.append([values.get(header, "") for header in self._form.headers])
                self._world.truth.add(filename, sheet.name, len(sheet.rows), member.number, entry.kinds)
        return Workbook(
            filename=filename,
            kind="poverty-register",
            scope_code=scope_code,
            as_of=as_of,
            sheets=[sheet],
            uploaded_by="aid",
            approved_by="leader",
            mode="supplement" if supplement else "complete",
            group=filename,
            note="乡村振兴部门提供",
        )

    def _entry(self, member: Person) -> Entry:
        if not member.child and self._rng.random() < 0.003:
            return self._slips.entry(member, force=("id-fifteen",), phone=member.household.phones[0])
        return self._slips.entry(member, phone=member.household.phones[0])

    def _household_cells(self, household: Household) -> dict[str, Cell]:
        rng = self._rng
        assert household.village
        township = household.village.township.name
        cause = rng.choice(_CAUSES)
        size = len(_members(household))
        monitored = household.poverty != POVERTY[0]
        return {
            **dict.fromkeys(("行政县", "县区", "县"), "示例县"),
            **dict.fromkeys(("乡镇", "乡"), township),
            **dict.fromkeys(("行政村", "乡村", "村"), household.village.region.name),
            "自然村": f"{household.group}组",
            "户编号": household.poverty_no,
            "人数": size,
            "脱贫属性": "已脱贫",
            "脱贫年度": rng.randint(2014, 2020),
            "贫困户属性": poverty_attribute(household),
            "主要致贫原因": cause,
            "危房户": "否",
            "饮水安全": "是",
            "饮水困难": "否",
            "人均纯收入": rng.randint(6500, 19800),
            "户主证件号码": household.head.id_no,
            "户主姓名": household.head.name,
            "户类型": "一般农户" if household.poverty == "边缘易致贫户" else "脱贫户" if monitored else "",
            "监测对象类别": household.poverty if monitored else "",
        }

    def _member_cells(self, household: Household, entry: Entry, number: int, relation: str) -> dict[str, Cell]:
        member = entry.person
        in_school, reason = self._school_state(member, entry)
        worker = not member.child and member.age < 60
        skill = "普通劳动力" if worker or (member.child and member.age >= 18) else "无劳动力"
        person_no = f"{household.poverty_no}{number:02d}"
        return {
            "人编号": person_no,
            "人口编号": person_no,
            "姓名": entry.name,
            "证件号码": entry.id_no,
            "证件类型": "居民身份证" if member.id_no else "其他",
            "性别": entry.sex,
            "出生日期": f"{entry.born:%Y%m%d}",
            "与户主关系": relation,
            "民族": entry.ethnic,
            "文化程度": _education(member),
            "在校生状况": in_school,
            "健康状况": "残疾" if member.disability else "健康",
            "劳动技能": skill,
            "务工状况": "县外省内务工" if worker and self._rng.random() < 0.4 else "",
            "务工时间": 8 if worker else "",
            "务工时间（月）": 8 if worker else "",
            "参加大病医疗": "是",
            "政治面貌": "群众",
            "是否参加城乡居民基本医疗保险": "是",
            "是否参加城乡居民基本养老保险": "是" if member.age >= 16 else "否",
            "是否会讲普通话": "是",
            "义务教育阶段未上学原因": reason,
            "是否特困供养人员": "是" if "特困供养" in member.hardship else "否",
            "是否事实无人抚养儿童": "是" if "事实无人抚养儿童" in member.hardship else "否",
            "残疾证办证年度": 2021 if member.disability else "",
            "联系电话": entry.phone,
            "家庭成员联系电话": entry.phone,
        }

    def _school_state(self, member: Person, entry: Entry) -> tuple[str, str]:
        """Return 在校生状况 and, for those of compulsory age in no school, the reason."""
        if not member.child:
            return "", ""
        enrolment = self._world.enrolment(member)
        state = _in_school(enrolment)
        if state in _GRADE_BEFORE and self._rng.random() < 0.02:
            state = _GRADE_BEFORE[state]
            entry.planted.append("stage-outdated")
        return state, enrolment.reason if 6 <= member.age <= 15 else ""


def _in_school(enrolment: Enrolment) -> str:
    if enrolment.situation in ("enrolled", "outside", "home-teaching") and enrolment.grade:
        if enrolment.grade.stage == "kindergarten":
            return "学前教育"
        return _IN_SCHOOL[enrolment.grade.code]
    if enrolment.situation == "not-yet":
        return "学龄前儿童"
    if enrolment.situation == "college":
        return "本科" if enrolment.person.number % 2 else "高职高专二年级"
    return ""


def _members(household: Household) -> list[tuple[Person, str]]:
    """Return the members with their relation to the head, the head first."""
    head = household.head
    found: list[tuple[Person, str]] = [(head, "户主")]
    by_grandfather = head is household.grandfather
    if household.father and household.father is not head:
        found.append((household.father, "子"))
    if household.mother and household.mother is not head:
        found.append((household.mother, "儿媳" if by_grandfather else "配偶"))
    if household.grandfather and not by_grandfather:
        found.append((household.grandfather, "父亲" if head is household.father else "公公"))
    for child in household.children:
        if not child.alive:
            continue
        if by_grandfather:
            relation = "孙子" if child.sex == "男" else "孙女"
        else:
            relation = "子" if child.sex == "男" else "女"
        found.append((child, relation))
    return found


def _education(member: Person) -> str:
    if member.child:
        if member.age < 6:
            return "学龄前儿童"
        return "小学" if member.age < 13 else "初中" if member.age < 18 else "高中"
    return ("初中", "初中", "小学", "高中", "初中", "文盲或半文盲")[member.number % 6]
