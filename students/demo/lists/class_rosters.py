"""Class rosters 班级名册: what each school sends at the start of term, in its own form and with its own habits."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from students.demo import names
from students.demo.accounts import uploader
from students.demo.enrolments import GRADES, Enrolment, Grade
from students.demo.lists.registry import class_name
from students.demo.schools import School
from students.demo.slips import BAD_ID, ROSTER_SLIPS, Entry, Slips, born_cell
from students.demo.workbooks import Format, Sheet, Workbook
from students.demo.world import World
from students.demo.xlsx import Cell

AS_OF = date(2026, 9, 10)
_SUPPLEMENT_AS_OF = date(2026, 9, 25)
_GRADE_ORDER = {grade.code: place for place, grade in enumerate(GRADES)}
_JUNIOR_OLD_NAMES = {"七年级": "初一", "八年级": "初二", "九年级": "初三"}


@dataclass(slots=True)
class _Line:
    enrolment: Enrolment
    entry: Entry


@dataclass(frozen=True, slots=True)
class _Habits:
    """How one school fills its form."""

    form: "_Form"
    format: Format
    born: str
    grade_words: str  # full 三年级, old 初一, digit 3
    class_words: str  # plain 2班, brackets （2）班, whole 三（2）班
    phone_as_number: bool
    short_name: bool  # writes its own name short
    file_per_grade: bool
    repeats_titles: bool  # class and class teacher in a second title row


@dataclass(frozen=True, slots=True)
class _Form:
    """Columns as (header, what)."""

    columns: tuple[tuple[str, str], ...]


_FORMS = (
    _Form(
        (
            ("序号", "serial"),
            ("姓名", "name"),
            ("性别", "sex"),
            ("民族", "ethnic"),
            ("出生日期", "born"),
            ("身份证号", "id"),
            ("年级", "grade"),
            ("班级", "class"),
            ("是否寄宿生", "boards"),
            ("家庭住址", "address"),
            ("监护人姓名", "guardian"),
            ("与学生关系", "relation"),
            ("联系电话", "phone"),
            ("备注", "empty"),
        )
    ),
    _Form(
        (
            ("序号", "serial"),
            ("学生姓名", "name"),
            ("性别", "sex"),
            ("出生年月", "born"),
            ("身份证号码", "id"),
            ("学籍号", "registry"),
            ("就读学校", "school"),
            ("年级", "grade"),
            ("班级", "class"),
            ("就读方式", "stay"),
            ("户籍所在地", "address"),
            ("家长/监护人姓名", "guardian"),
            ("与本人关系", "relation"),
            ("家长电话", "phone"),
            ("班主任", "teacher"),
        )
    ),
    _Form(
        (
            ("学号", "seat"),
            ("姓  名", "name"),
            ("性 别", "sex"),
            ("公民身份号码", "id"),
            ("民族", "ethnic"),
            ("就读年级", "grade"),
            ("所在班级", "class"),
            ("是否住宿生(是/否)", "boards"),
            ("是否留守儿童", "left_behind"),
            ("现住址", "address"),
            ("家庭联系人姓名", "guardian"),
            ("家庭联系人电话", "phone"),
            ("说明", "empty"),
        )
    ),
    _Form(
        (
            ("序号", "serial"),
            ("姓名*", "name"),
            ("身份证\n号码（18位）", "id"),
            ("性别", "sex"),
            ("出生日期", "born"),
            ("全国学籍号", "registry"),
            ("年级", "grade"),
            ("班级名称", "class"),
            ("就读方式", "stay"),
            ("家庭住址", "address"),
            ("监护人姓名", "guardian"),
            ("与学生关系", "relation"),
            ("手机号", "phone"),
        )
    ),
)
_KINDERGARTEN_FORM = _Form(
    (
        ("序号", "serial"),
        ("幼儿姓名", "name"),
        ("性别", "sex"),
        ("民族", "ethnic"),
        ("出生日期", "born"),
        ("身份证件号码", "id"),
        ("年级", "grade"),
        ("班级名称", "class"),
        ("入园日期", "entered"),
        ("家庭住址", "address"),
        ("监护人姓名", "guardian"),
        ("联系电话", "phone"),
    )
)
_LEFT_BEHIND = ("否", "是", "是")


def make_class_rosters(world: World) -> list[Workbook]:
    """Make the rosters of all schools of the county but the late ones, in the order of schools."""
    by_school: dict[str, list[Enrolment]] = {}
    for enrolment in world.enrolments:
        if enrolment.seated and enrolment.school and enrolment.school.in_county:
            by_school.setdefault(enrolment.school.code, []).append(enrolment)
    left_over = _listed_twice(world)
    late_class = _school_with_supplement(world)
    workbooks: list[Workbook] = []
    for position, school in enumerate(world.county_schools()):
        enrolments = by_school.get(school.code, [])
        if school.code in world.silent_schools or not enrolments:
            continue
        writer = _SchoolWriter(world, school, position)
        workbooks.extend(writer.workbooks(enrolments, left_over.get(school.code, []), school.code == late_class))
    return workbooks


def _listed_twice(world: World) -> dict[str, list[Enrolment]]:
    """Choose pupils who changed school in summer and are still on the old school's roster: old school → pupils."""
    rng = world.rng("rosters:twice")
    seated = [
        enrolment
        for enrolment in world.enrolments
        if enrolment.seated and enrolment.grade and enrolment.grade.stage in ("primary", "junior")
    ]
    found: dict[str, list[Enrolment]] = {}
    for enrolment in rng.sample(seated, round(len(seated) * world.rates.double_enrolment)):
        assert enrolment.grade
        others = [
            school
            for school in world.county_schools()
            if enrolment.grade.stage in school.stages
            and school is not enrolment.school
            and school.kind != "special"
            and school.code not in world.silent_schools
        ]
        found.setdefault(rng.choice(others).code, []).append(enrolment)
    return found


def _school_with_supplement(world: World) -> str:
    """Return the school that forgets a class and sends it later: a central primary school."""
    third = world.places.townships[2].code
    return next(school.code for school in world.schools if school.region == third and "primary" in school.stages)


def _draw_habits(rng: random.Random, school: School, position: int) -> _Habits:
    if school.kind == "kindergarten":
        form = _KINDERGARTEN_FORM
    else:
        form = _FORMS[position % len(_FORMS)]
    # By position, so that every county has some of each
    format: Format = "csv" if position % 16 == 5 else "xls" if position % 7 == 3 else "xlsx"
    with_junior = "junior" in school.stages
    return _Habits(
        form=form,
        format=format,
        born=rng.choice(("date", "compact", "dashed", "dotted", "slashed", "chinese")),
        grade_words=rng.choice(("full", "full", "old")) if with_junior else rng.choice(("full", "full", "digit")),
        class_words=rng.choice(("plain", "brackets", "whole")),
        phone_as_number=rng.random() < 0.2,
        short_name=rng.random() < 0.3,
        file_per_grade=format == "xlsx" and school.kind == "junior" and position % 3 == 0,
        repeats_titles=rng.random() < 0.6,
    )


class _SchoolWriter:
    """Writes the workbooks of one school."""

    def __init__(self, world: World, school: School, position: int) -> None:
        self._world = world
        self._school = school
        self._rng = world.rng(f"rosters:{school.code}")
        self._slips = Slips(self._rng, world.rates, ROSTER_SLIPS)
        self._habits = _draw_habits(self._rng, school, position)
        self._teachers: dict[tuple[str, int], str] = {}
        short = self._rng.choice(school.short_names)
        self._written_name = short if self._habits.short_name else school.name
        self._getters: dict[str, Callable[[int, _Line], Cell]] = {
            "serial": lambda serial, line: serial,
            "seat": lambda serial, line: f"{serial:02d}",
            "name": lambda serial, line: line.entry.name,
            "sex": lambda serial, line: line.entry.sex,
            "ethnic": lambda serial, line: line.entry.ethnic,
            "born": lambda serial, line: born_cell(line.entry, self._habits.born),
            "id": lambda serial, line: line.entry.id_no,
            "registry": lambda serial, line: line.enrolment.registry_no,
            "school": lambda serial, line: self._written_name,
            "grade": lambda serial, line: self._grade_text(_grade(line.enrolment)),
            "class": lambda serial, line: self._class_text(line.enrolment),
            "boards": lambda serial, line: "是" if line.enrolment.boarding else "否",
            "stay": lambda serial, line: "住校" if line.enrolment.boarding else "走读",
            "left_behind": lambda serial, line: _LEFT_BEHIND[line.entry.person.left_behind],
            "entered": lambda serial, line: f"{line.enrolment.entered:%Y-%m-%d}",
            "address": lambda serial, line: line.entry.person.household.address,
            "guardian": lambda serial, line: line.entry.person.household.guardian[0].name,
            "relation": lambda serial, line: line.entry.person.household.guardian[1],
            "phone": lambda serial, line: line.entry.phone,
            "teacher": lambda serial, line: self._teacher(line.enrolment),
            "empty": lambda serial, line: "",
        }

    def workbooks(self, enrolments: list[Enrolment], left_over: list[Enrolment], late_class: bool) -> list[Workbook]:
        """Return the school's files: usually one, one per grade with some schools, a later supplement with one."""
        classes: dict[tuple[str, int], list[_Line]] = {}
        for enrolment in enrolments:
            key = (_grade(enrolment).code, enrolment.class_number)
            classes.setdefault(key, []).append(self._line(enrolment))
        for enrolment in left_over:
            line = self._line(enrolment)
            line.entry.planted.append("double-enrolment")
            code = _grade(enrolment).code
            classes.setdefault(
                (code, min((number for grade, number in classes if grade == code), default=1)), []
            ).append(line)
        ordered = {key: classes[key] for key in sorted(classes, key=lambda key: (_GRADE_ORDER[key[0]], key[1]))}
        for lines in ordered.values():
            self._repeat_some(lines)
        late: dict[tuple[str, int], list[_Line]] = {}
        if late_class:
            key = list(ordered)[-1]
            late[key] = ordered.pop(key)
        name = f"{self._school.name}2026年秋季学生花名册"
        extension = self._habits.format
        if self._habits.file_per_grade:
            found = []
            for code in dict.fromkeys(grade for grade, _ in ordered):
                part = {key: lines for key, lines in ordered.items() if key[0] == code}
                grade = next(grade for grade in GRADES if grade.code == code)
                found.append(self._workbook(f"{name}（{grade.name}）.{extension}", part, group=name))
        else:
            filename = f"{name}.{extension}"
            found = [self._workbook(filename, ordered, group=filename)]
        if late:
            filename = f"{self._school.name}2026年秋季学生花名册（补报）.xlsx"
            supplement = self._workbook(filename, late, group=filename)
            supplement.mode, supplement.as_of, supplement.note = "supplement", _SUPPLEMENT_AS_OF, "补报漏报班级"
            found.append(supplement)
        return found

    def _line(self, enrolment: Enrolment) -> _Line:
        child = enrolment.person
        # The same inspection: of pupils without a registry, half have a bad or missing number in class as well
        broken = not enrolment.registered and self._rng.random() < self._world.rates.unlinked_bad_id
        phone = child.household.phones[0]
        entry = self._slips.entry(child, force=BAD_ID if broken else (), phone=phone)
        if self._habits.phone_as_number and entry.phone == phone:
            entry.phone = int(phone)
        if not enrolment.registered:
            entry.planted.append("unregistered")
        if self._habits.short_name and any(what == "school" for _, what in self._habits.form.columns):
            entry.planted.append("school-short")
        return _Line(enrolment, entry)

    def _repeat_some(self, lines: list[_Line]) -> None:
        for line in list(lines):
            if self._rng.random() < self._world.rates.duplicate_row:
                entry = line.entry
                repeated = Entry(
                    entry.person,
                    entry.name,
                    entry.sex,
                    entry.born,
                    entry.id_no,
                    entry.ethnic,
                    entry.phone,
                    entry.born_as,
                    [*entry.planted, "duplicate-row"],
                )
                lines.append(_Line(line.enrolment, repeated))

    def _workbook(self, filename: str, classes: dict[tuple[str, int], list[_Line]], *, group: str) -> Workbook:
        if self._habits.format == "csv" and filename.endswith("csv"):
            lines = [line for part in classes.values() for line in part]
            sheets = [self._sheet("", lines, filename, subtitle="")]
        else:
            sheets = []
            for lines in classes.values():
                # By the true class: a pupil left over from another school may stand first in a class of its own
                enrolment = lines[0].enrolment
                name = class_name(_grade(enrolment), enrolment.class_number)
                subtitle = ""
                if self._habits.repeats_titles:
                    teacher = self._teacher(enrolment)
                    subtitle = f"班级：{name}　　班主任：{teacher}　　人数：{len(lines)}人"
                sheets.append(self._sheet(name, lines, filename, subtitle=subtitle))
        return Workbook(
            filename=filename,
            kind="class-roster",
            scope_code=self._school.code,
            as_of=AS_OF,
            sheets=sheets,
            uploaded_by=uploader(self._world.users, self._world.places, self._school),
            approved_by="county",
            group=group,
            note="2026年秋季开学花名册",
        )

    def _sheet(self, name: str, lines: list[_Line], filename: str, *, subtitle: str) -> Sheet:
        columns = self._habits.form.columns
        sheet = Sheet(name)
        titles = [f"{self._school.name}2026年秋季学生花名册"]
        sheet.add_titles([*titles, subtitle] if subtitle else titles, len(columns))
        sheet.add_header([header for header, _ in columns])
        getters = [self._getters[what] for _, what in columns]
        for serial, line in enumerate(lines, start=1):
            sheet.rows.append([getter(serial, line) for getter in getters])
            self._world.truth.add(filename, name, len(sheet.rows), line.entry.person.number, line.entry.kinds)
        boys = sum(line.entry.sex == "男" for line in lines)
        sheet.rows.append(["合计", f"{len(lines)}人", f"男{boys}人", f"女{len(lines) - boys}人"])
        sheet.rows.append(
            ["填表人：" + self._teacher(lines[0].enrolment), "", "", "审核人：", "", "填表日期：2026年9月10日"]
        )
        return sheet

    def _teacher(self, enrolment: Enrolment) -> str:
        key = (_grade(enrolment).code, enrolment.class_number)
        if key not in self._teachers:
            rng = self._rng
            self._teachers[key] = names.surname(rng) + names.given_name(
                rng, rng.choice(("男", "女", "女")), young=False
            )
        return self._teachers[key]

    def _grade_text(self, grade: Grade) -> str:
        words = self._habits.grade_words
        if words == "old":
            return _JUNIOR_OLD_NAMES.get(grade.name, grade.name)
        if words == "digit" and grade.stage == "primary":
            return str(grade.number)
        return grade.name

    def _class_text(self, enrolment: Enrolment) -> str:
        number = enrolment.class_number
        if self._habits.class_words == "plain":
            return f"{number}班"
        return f"（{number}）班" if self._habits.class_words == "brackets" else class_name(_grade(enrolment), number)


def _grade(enrolment: Enrolment) -> Grade:
    assert enrolment.grade
    return enrolment.grade
