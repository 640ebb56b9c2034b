"""Made-up values for the style guide and for states that a running product seldom shows: no real person, no database."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace as ns
from typing import Any

from django import forms

from eduaid.core import display
from eduaid.core.display import Rate, State, TrendPoint
from eduaid.core.templatetags import ui

NOW = dt.datetime(2026, 11, 27, 17, 0, tzinfo=display.CHINA)
MODULES = (
    ("工作台", "home"),
    ("进展", "chart"),
    ("学生", "people"),
    ("名单导入", "upload"),
    ("报告", "report"),
    ("设置", "settings"),
)


def frame(**more: Any) -> dict[str, Any]:
    """What the context processor gives every page of somebody who is logged in."""
    context: dict[str, Any] = {
        "nav": [
            ns(label=label, url="/styleguide", icon=icon, current=i == 0) for i, (label, icon) in enumerate(MODULES)
        ],
        "user_label": "示例县教育局 陈主任",
        "search_url": "/styleguide",
        "county_name": "示例县",
        "demo": True,
        "page_help_url": "/styleguide",
        "logout_url": "/login-error",
        "csrf_token": "gallery",
    }
    return context | more


def stranger(**more: Any) -> dict[str, Any]:
    """What the context processor gives a page before log-in."""
    return {"county_name": "示例县", "demo": True, "csrf_token": "gallery"} | more


def fig(value: int | Decimal | None, label: str, unit: str = "人", url: str = "/styleguide") -> ns:
    return ns(value=value, label=label, unit=unit, url=url)


# ------------------------------------------------------------------------------------------------------ forms


class LoginForm(forms.Form):
    username = forms.CharField(label="账号", widget=forms.TextInput(attrs={"autocomplete": "username"}))
    password = forms.CharField(label="密码", widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}))

    def clean(self) -> None:
        raise forms.ValidationError("账号或密码不对，还可试 4 次")


class SchoolForm(forms.Form):
    """One field of each kind."""

    name = forms.CharField(label="学校名称")
    opened_on = forms.DateField(
        label="启用日期",
        help_text="如 2026-09-01，也可写 20260901、2026.9.1、2026年9月1日",
        error_messages={"invalid": "「启用日期」看不懂。请写成 2026-09-01 这样的形式"},
    )
    kind = forms.ChoiceField(label="办学类型", choices=[("", "请选择"), ("公办", "公办"), ("民办", "民办")])
    stages = forms.MultipleChoiceField(
        label="学段", widget=forms.CheckboxSelectMultiple, choices=[("2", "小学"), ("3", "初中")]
    )
    boarding = forms.ChoiceField(label="寄宿", widget=forms.RadioSelect, choices=[("y", "有"), ("n", "没有")])
    is_outside = forms.BooleanField(label="县外学校", required=False)
    note = forms.CharField(label="备注", required=False, widget=forms.Textarea(attrs={"rows": 2}))


# ------------------------------------------------------------------------------------------------- components

KPIS = [
    ns(figure=fig(39528, "6—15周岁人口"), more="公安名单，9月1日"),
    ns(figure=fig(38610, "义务教育在读"), more="其中县外就读 1,204 人"),
    ns(figure=fig(0, "县外就读未取证"), more="占县外就读 0.00%"),
    ns(figure=fig(Decimal("8186988"), "本学期资助", "元"), more="4,887 人次"),
]
TERMS = [
    fig(38610, "义务教育就读"),
    fig(214, "非义务阶段"),
    fig(96, "已备案"),
    fig(61, "重残"),
    fig(62, "暂不在校"),
    fig(473, "未核"),
    fig(12, "待改"),
]
EQUATION = ns(title="平衡校验", total=fig(39528, "户籍人口"), terms=TERMS, gap=fig(0, "差额"))
GAP = ns(title="平衡校验（不平）", total=fig(39533, "户籍人口"), terms=TERMS, gap=fig(5, "差额"))
DEFINITION = ns(
    text="户籍在本县、按学年截至8月31日满6周岁不满16周岁的人数，一人计一次。",
    numerator="",
    denominator="",
    unit="人",
    counting="按户籍地计入",
    source="公安户籍人口名单（生效的最新一份）",
    as_of=dt.date(2026, 11, 27),
)
_COLUMNS = (
    ("应核", "人"), ("已核", "人"), ("缺口", "人"), ("核实率", ""), ("资助", "万元"), ("本周任务", ""),
)  # fmt: skip
_GAPS = {"水口镇": 0, "垄溪乡": 15, "石洲乡": 69, "东风乡": 116, "船形乡": 37, "中村乡": 1, "沔渡镇": 238}


def _town(name: str, total: int, gap: int) -> ns:
    state = State("ok", "已完成") if not gap else State("warn", "剩2天") if gap < 50 else State("bad", "逾期1天")
    cells = [
        fig(total, "应核"),
        fig(total - gap, "已核"),
        fig(gap, "缺口"),
        Rate(total - gap, total),
        fig(Decimal("4124600.50"), "资助", "元"),
        state,
    ]
    return ns(name=name, url="/styleguide", cells=cells)


TABLE = ns(
    caption="各乡镇核实进展，按缺口从多到少",
    row_label="乡镇",
    columns=[ns(label=label, unit=unit, numeric=label != "本周任务") for label, unit in _COLUMNS],
    rows=[_town(name, 9351 - i * 523, gap) for i, (name, gap) in enumerate(_GAPS.items())],
    totals=[
        fig(54474, "应核"),
        fig(53998, "已核"),
        fig(476, "缺口"),
        Rate(53998, 54474),
        fig(Decimal("28872203.50"), "资助", "元"),
        "",
    ],
    note="合计按未舍入的数相加。",
)
POINTS = [TrendPoint(f"{m}月", v) for m, v in ((6, 214), (7, 180), (8, 171), (9, 140), (10, 122), (11, 104))]
PAGE = ns(shown_from=51, shown_to=100, total=9351, previous_url="?before=x", next_url="?after=y")
CHIPS = [
    ns(label="学段：小学", remove_url="/styleguide"),
    ns(label="类别：建档立卡", remove_url="/styleguide"),
]
TABS = [
    ns(label="需修改", url="/styleguide", count=187, current=True),
    ns(label="提示", url="/styleguide", count=42, current=False),
    ns(label="全部", url="/styleguide", count=None, current=False),
]
TIMELINE = [
    ns(on=dt.date(2026, 10, 9), title="更正「走读/寄宿」", text="走读 → 寄宿；原因：家长来电，已核实"),
    ns(on=dt.date(2026, 9, 3), title="班级名册生效", text="三年级（1）班 → 四年级（1）班"),
]
EMPTY = ns(title="全部已分配 ✓", text="本镇每个学生都有包保教师。", action_url="/styleguide", action_label="查看名单")
TASKS = [
    ns(title="2026年秋季班级名册", why="全镇 14 所学校，已报 11 所", state=State("warn", "剩3天")),
    ns(title="核对结果待处理：蔡朱小学", why="187 行需修改，分 6 类", state=State("bad", "逾期1天")),
]


def rows() -> list[ns]:
    """Three lines of the error grid: one with a suggestion, one whose value is sealed, one already put right."""
    found = [
        ("出生日期", "2013-05-20", "与证件号（2013年5月2日）不一致。请改为 2013-05-02，或核对证件号。", ["2013-05-02"]),
        ("身份证件号", "", "证件号后 3 位已被表格软件抹去，无法恢复；请把该列设为文本后重填。", []),
        ("年级", "十年级", "没有「十年级」。请改为一年级至九年级。", []),
    ]
    return [
        ns(
            anchor=f"r{i}",
            sheet="一年级",
            line=58 + i,
            name=name,
            id_masked=ui.mask_id("990121"),
            column=column,
            value=value,
            message=message,
            suggestions=suggestions,
            level="bad",
            editable=True,
            edit_url="/review-row",
            back="",
        )
        for i, (name, (column, value, message, suggestions)) in enumerate(
            zip(("林晓雨", "陈思远", "买买提江·艾山"), found, strict=True)
        )
    ]


def progress() -> ns:
    stages = [
        ns(label="读取", state="done", note="9,351 行"),
        ns(label="校验", state="now", note=""),
        ns(label="比对", state="todo", note=""),
        ns(label="写入", state="todo", note=""),
    ]
    return ns(
        stages=stages,
        percent=42,
        done=3927,
        total=9351,
        seconds_left=12,
        message="正在校验，42%",
        finished=False,
        poll_url="/progress-part",
    )


def styleguide() -> dict[str, Any]:
    form = SchoolForm({"name": "", "opened_on": "九月", "kind": "公办", "stages": ["2"], "boarding": "y"})
    return frame(
        equation=EQUATION,
        gap=GAP,
        kpis=KPIS,
        table=TABLE,
        definition=DEFINITION,
        form=form,
        page=PAGE,
        points=POINTS,
        progress=progress(),
        chips=CHIPS,
        clear_url="/styleguide",
        tabs=TABS,
        timeline=TIMELINE,
        empty=EMPTY,
        tasks=TASKS,
        rows=rows(),
    )


# ----------------------------------------------------------------------------------------------------- states


def home_without_lists() -> dict[str, Any]:
    steps = ["登记乡镇和村", "登记学校和标识码", "设学年和学期", "建立账号和岗位", "导入第一份名单"]
    return frame(
        today=NOW.date(),
        demo=False,
        imports_url="/styleguide",
        checklist_url="/styleguide",
        checklist=[ns(text=text, url="/styleguide", done=i < 2) for i, text in enumerate(steps)],
        done_note="上周办结 12 项。",
    )


def running(kind: str = "") -> dict[str, Any]:
    reason = "文件打不开：它设有打开密码。请在 WPS 中取消密码后重新上传。"
    return frame(
        upload=ns(title="2026年秋季花名册-蔡朱小学.xlsx", kind="班级名册", scope="水口镇"),
        progress=progress(),
        cancel_url="/run",
        index_url="/styleguide",
        lost=kind == "lost",
        resume_url="/run",
        failed=ns(reason=reason, retry_url="", again_url="/styleguide") if kind == "failed" else None,
    )


def returned() -> dict[str, Any]:
    """Everything that a corrected workbook can bring, as full as the page gets."""
    titles = (
        "合并的改动",
        "网页上已另行修改，保留网页上的",
        "号码被表格软件改坏，保留原来的（请把该列设为文本后重填）",
        "所在行已生效，不能在这里改",
    )
    lines = [
        ns(place=f"三年级 第 {58 + n} 行", column="身份证件号", was=ui.mask_id("990121"), now=ui.mask_id("990121"))
        for n in range(40)
    ]
    people = ("林晓雨", "陈思远", "买买提江·艾山（复制的行）", "王伟")
    return frame(
        upload=ns(title="2026年秋季花名册.xlsx", url="/styleguide", kind="班级名册", scope="水口镇"),
        files=["2026年秋季花名册（标错）.xlsx"],
        cells=187,
        rows=180,
        unchanged=9_160,
        groups=[ns(title=title, lines=lines, count=187, more=147) for title in titles],
        missing_columns=["班主任"],
        new=[ns(place=f"第 {9_360 + n} 行", name=people[n % 4]) for n in range(40)],
        new_count=52,
        gone=[ns(place=f"原第 {600 + n} 行", name=people[n % 4]) for n in range(3)],
        gone_count=3,
        closed=False,
        list_url="/styleguide",
    )


def confirm() -> dict[str, Any]:
    return frame(
        title="放弃本次导入",
        question="放弃后这份名单不再保留，原表仍在您的电脑里。",
        effects=["1,204 行可入库的行不会入库", "3 行已改的内容会丢失"],
        confirm_label="放弃",
        danger=True,
        back_url="/styleguide",
    )


def saved_row() -> dict[str, Any]:
    row = rows()[0]
    row.level = "ok"
    return {"row": row, "csrf_token": "gallery"}


_PARTS = (("新增", 212), ("变更", 84), ("上期有、本期无", 37), ("无变化", 8940), ("待改", 15))
_LIST = {"title": "2026年秋季花名册-蔡朱小学.xlsx", "url": "/styleguide", "kind": "班级名册", "scope": "水口镇"}


def _tabs(names: tuple[tuple[str, int], ...], current: int) -> list[ns]:
    return [
        ns(label=label, url="/styleguide", count=count, current=position == current)
        for position, (label, count) in enumerate(names)
    ]


def missing() -> dict[str, Any]:
    """Twenty lines with their drop-down lists: as full as the page gets."""
    options = [
        ns(
            label=label,
            options=[ns(value=f"{label}{n}", label=f"{label}的第 {n} 种去向", selected=False) for n in range(size)],
        )
        for label, size in (("毕业", 3), ("在校", 8), ("不计", 9), ("辍学", 11), ("待核", 1))
    ]
    people = ("林晓雨", "陈思远", "买买提江·艾山", "王伟")
    lines = [
        ns(
            key=n,
            name=people[n % 4],
            id_masked=ui.mask_id("990121"),
            school="水口镇蔡朱小学",
            grade="六年级 2班",
            line=f"名单 12 号第 {58 + n} 行",
            line_url="/styleguide",
            said="",
            note="",
            by="",
            code="",
            basis="2026年9月10日的班级名册名单里，这个人在水口镇初级中学。" if n % 3 else "",
            proposed="本镇内就读（水口镇初级中学）" if n % 3 else "",
            options=options,
        )
        for n in range(20)
    ]
    return frame(
        upload=ns(**_LIST),
        tabs=_tabs(_PARTS, 2),
        parts=_tabs((("全部", 37), ("未说明", 35), ("待核", 2)), 1),
        open_ones=35,
        pending=2,
        may_say=True,
        certain=21,
        groups=[ns(value=f"g{n}", label=f"水口镇蔡朱小学 六年级 {n}班：{30 - n} 人") for n in range(1, 12)],
        options=options,
        rows=lines,
        save_url="/styleguide",
        bulk_url="/styleguide",
        back="",
        page=ns(shown_from=1, shown_to=20, total=37, previous_url="", next_url="/styleguide"),
    )


def changed() -> dict[str, Any]:
    changes = [ns(label="班级", was="1班", now="2班"), ns(label="联系电话", was="138****0001", now="138****0009")]
    lines = [
        ns(
            name=name,
            url="",
            id_masked=ui.mask_id("990121"),
            school="水口镇蔡朱小学",
            grade="三年级 2班",
            line="三年级 第 58 行",
            line_url="/styleguide",
            changes=changes[: n + 1],
            more="备注：空 → 已核对" if n else "",
        )
        for n, name in enumerate(("林晓雨", "陈思远"))
    ]
    return frame(title="变更", kind="changed", upload=ns(**_LIST), tabs=_tabs(_PARTS, 1), rows=lines, page=PAGE)


def approvals() -> dict[str, Any]:
    parts = [
        ns(label=label, count=count, url="/styleguide")
        for label, count in (("新增", 212), ("变更", 84), ("上期有、本期无", 37), ("其中去向待核", 2))
    ]
    common = {"title": _LIST["title"], "url": "/styleguide", "kind": "班级名册", "effective_on": NOW.date(), "at": NOW}
    lists = [
        ns(**common, scope="水口镇", by="陈校长", note="两人去向还在问", late=False, checked="9,288 行全部通过核对",
           parts=parts, version=3, approve_url="/styleguide", return_url="/styleguide", held=""),
        ns(**common, scope="石洲乡", by="罗校长", note="", late=False, checked="1,204 行中 1,180 行通过，待改 24 行",
           parts=parts[:1], version=1, approve_url="", return_url="/styleguide", held="您上传、修改过或填过去向，请由另一人审核"),
        ns(**common, scope="东风乡", by="李校长", note="", late=True, checked="已生效名单的待改行，改好后补报",
           parts=[], version=7, approve_url="/styleguide", return_url="/styleguide", held=""),
    ]  # fmt: skip
    return frame(lists=lists, page=ns(shown_from=1, shown_to=3, total=3, previous_url="", next_url=""))


def undo_rows() -> dict[str, Any]:
    reasons = ("名单 14 号更新，以它为准", "有更正（出生日期），以更正为准", "这一行还在待改，没有生效")
    lines = [
        ns(
            name=name,
            id_masked=ui.mask_id("990121"),
            school="水口镇蔡朱小学",
            grade="三年级 2班",
            why=why,
            line="名单 12 号第 58 行",
            line_url="/styleguide",
        )
        for name, why in zip(("林晓雨", "陈思远", "买买提江·艾山"), reasons, strict=True)
    ]
    return frame(
        upload=ns(**_LIST),
        title="保留",
        about="之后又有更新的名单或更正，以更新的为准，不受撤回影响。",
        tabs=_tabs((("将撤回", 1180), ("保留", 3), ("无法撤回", 0)), 1),
        rows=lines,
        undo_url="/styleguide",
        page=ns(shown_from=1, shown_to=3, total=3, previous_url="", next_url=""),
    )
