"""Made-up values for every page template, in the shapes that each names at its top: no real person, no database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace as ns
from typing import Any

from django import forms

from eduaid.core import display
from eduaid.core.display import ErrorItem, Rate, State, TrendPoint
from eduaid.core.templatetags import ui

TODAY = dt.date(2026, 11, 27)
NOW = dt.datetime(2026, 11, 27, 17, 0, tzinfo=display.CHINA)

OK, WARN, BAD, MUTE = (
    State("ok", "已生效"),
    State("warn", "待审核"),
    State("bad", "需修改"),
    State("mute", "已撤回"),
)
TOWNS = [
    "水口镇",
    "垄溪乡",
    "石洲乡",
    "东风乡",
    "船形乡",
    "中村乡",
    "沔渡镇",
    "十都镇",
    "策源乡",
    "下村乡",
    "鹿原镇",
    "霞阳镇",
    "三河镇",
]
NAMES = [
    "林晓雨",
    "陈思远",
    "王梓涵",
    "李文乐",
    "欧阳若曦",
    "张一诺",
    "刘子墨",
    "周雨桐",
    "黄嘉怡",
    "吴浩然",
    "买买提江·艾山",
    "单宇航",
]


def fig(value: int | Decimal | str | None, label: str, unit: str = "人", url: str = "/indicator") -> ns:
    return ns(value=value, label=label, unit=unit, url=url)


def masked() -> str:
    return ui.mask_id("990121")


def frame(**more: Any) -> dict[str, Any]:
    nav = [
        ns(label="工作台", url="/home", icon="home", current=False),
        ns(label="进展", url="/progress", icon="chart", current=False),
        ns(label="导入", url="/imports", icon="upload", current=False),
        ns(label="学生", url="/students", icon="people", current=False),
        ns(label="报告", url="/report", icon="report", current=False),
        ns(label="设置", url="/setup", icon="settings", current=False),
    ]
    context: dict[str, Any] = {
        "nav": nav,
        "user_label": "示例县教育局 陈主任",
        "search_url": "/search",
        "county_name": "示例县",
        "demo": True,
        "page_help_url": "/styleguide",
        "logout_url": "/login",
        "csrf_token": "gallery",
        "scope_label": "示例县",
        "as_of": TODAY,
        "today": TODAY,
        "term_label": "2026年秋季学期",
        "crumbs": [],
    }
    context.update(more)
    for item in nav:
        item.current = item.label == more.get("module")
    return context


def crumbs(*labels: str) -> list[ns]:
    return [ns(label=label, url="/home" if i + 1 < len(labels) else "") for i, label in enumerate(labels)]


def pager(total: int | None = 9351) -> ns:
    return ns(shown_from=51, shown_to=100, total=total, previous_url="?before=x", next_url="?after=y")


# ------------------------------------------------------------------------------------------------------ forms


class LoginForm(forms.Form):
    username = forms.CharField(label="账号", widget=forms.TextInput(attrs={"autocomplete": "username"}))
    password = forms.CharField(label="密码", widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}))

    def clean(self) -> None:
        raise forms.ValidationError("账号或密码不对，还可试 4 次")


class _Files(forms.ClearableFileInput):
    allow_multiple_selected = True


class UploadForm(forms.Form):
    files = forms.FileField(
        label="文件",
        error_messages={"required": "还没有选择文件。请选择花名册文件"},
        widget=_Files(attrs={"multiple": True, "accept": ".xlsx,.xls,.csv"}),
        help_text="x",
    )
    kind = forms.ChoiceField(label="名单", choices=[("", "请选择"), ("class-roster", "班级名册"), ("registry", "学籍")])
    scope = forms.ChoiceField(label="范围", choices=[("990121001", "水口镇")])
    effective_on = forms.DateField(
        label="生效日",
        initial="2026年9月1日",
        help_text="可写 20260901、2026.9.1、2026年9月1日",
        error_messages={"invalid": "「生效日」看不懂。请写成 2026-09-01 这样的形式"},
    )
    mode = forms.ChoiceField(
        label="这份名单是",
        widget=forms.RadioSelect,
        initial="complete",
        choices=[
            ("complete", "全量：范围内的人都在这份名单里"),
            ("supplement", "补报：只增加漏报的人"),
            ("amendment", "更正：只替换写明的行"),
        ],
    )
    comment = forms.CharField(label="备注", required=False, widget=forms.Textarea(attrs={"rows": 2}))
    pasted = forms.CharField(label="粘贴内容", required=False, widget=forms.Textarea(attrs={"rows": 6}))


class SchoolForm(forms.Form):
    name = forms.CharField(label="学校名称", initial="蔡朱小学")
    code = forms.CharField(label="学校标识码", initial="2143001234")
    stages = forms.MultipleChoiceField(
        label="学段", widget=forms.CheckboxSelectMultiple, choices=[("2", "小学"), ("3", "初中")], initial=["2"]
    )
    is_outside = forms.BooleanField(label="县外学校", required=False, help_text="县外学校可不填乡镇")


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="撤回原因", widget=forms.Textarea(attrs={"rows": 3}), error_messages={"required": "请写明撤回原因"}
    )


# ------------------------------------------------------------------------------------------------------ pages


def town_table() -> ns:
    rows = []
    for i, name in enumerate(TOWNS):
        total, gap = 9351 - i * 523, (0, 15, 69, 116, 37, 1, 238, 9, 0, 3, 42, 0, 7)[i]
        state = State("ok", "已完成") if not gap else State("warn", "剩2天") if gap < 50 else State("bad", "逾期1天")
        cells = [
            fig(total, "应核"),
            fig(total - gap, "已核"),
            fig(gap, "缺口"),
            Rate(total - gap, total),
            fig(gap // 3, "未取证"),
            fig(Decimal("4124600.50") / (i + 1), "资助", "元"),
            state,
        ]
        rows.append(ns(name=name, url="/progress", cells=cells))
    return ns(
        title="各乡镇",
        caption="各乡镇核实进展，默认按缺口排列",
        row_label="乡镇",
        rows=rows,
        note="合计按未舍入的数相加。",
        columns=[
            ns(label=label, unit=unit, numeric=numeric)
            for label, unit, numeric in (
                ("应核", "人", True),
                ("已核", "人", True),
                ("缺口", "人", True),
                ("核实率", "", True),
                ("未取证", "人", True),
                ("资助", "万元", True),
                ("本周任务", "", False),
            )
        ],
        totals=[
            fig(80763, "应核"),
            fig(80226, "已核"),
            fig(537, "缺口"),
            Rate(80226, 80763),
            fig(176, "未取证"),
            fig(Decimal("13113200"), "资助", "元"),
            "",
        ],
        definition=DEFINITION,
    )


DEFINITION = ns(
    text="户籍在本县、2010年9月1日至2020年8月31日出生的人数。",
    numerator="",
    denominator="",
    unit="人",
    counting="每人只计一次",
    source="公安户籍人口名单（在用）",
    as_of=TODAY,
)
KPIS = [
    ns(figure=fig(39528, "6～15周岁人口"), more="公安名单，9月1日"),
    ns(figure=fig(38610, "义务教育在读"), more="其中县外就读 1,204 人"),
    ns(figure=fig(104, "县外就读未取证"), more="占县外就读 8.64%"),
    ns(figure=fig(Decimal("8186988"), "本学期资助", "元"), more="4,887 人次"),
]
EQUATION = ns(
    title="平衡校验",
    total=fig(39528, "户籍人口"),
    terms=[
        fig(38610, "义务教育就读"),
        fig(214, "非义务阶段"),
        fig(96, "已备案"),
        fig(61, "重残"),
        fig(62, "暂不在校"),
        fig(473, "未核"),
        fig(12, "待改"),
    ],
    gap=fig(0, "差额"),
)
GAP = ns(**{**vars(EQUATION), "gap": fig(5, "差额")})


def people_rows(count: int = 12) -> list[ns]:
    return [
        ns(
            url="/student",
            name=NAMES[i % len(NAMES)],
            pk=i,
            id_masked=masked(),
            cells=[
                "女" if i % 2 else "男",
                dt.date(2013, 1 + i % 12, 3).isoformat(),
                "蔡朱小学",
                f"{1 + i % 6}年级（{1 + i % 3}）班",
                "水口镇田心村",
                "走读" if i % 3 else "寄宿",
                State("ok", "在读") if i % 5 else State("warn", "待改"),
            ],
            source=ns(text=f"班级名册 第 {i + 5} 行", url="/source-row"),
        )
        for i in range(count)
    ]


PERSON_COLUMNS = [
    ns(label=label, numeric=False, key=str(i), sort_url="?sort=1", sorted="ascending" if i == 2 else "")
    for i, label in enumerate(("性别", "出生日期", "学校", "年级班级", "户籍村", "走读/寄宿", "状态"))
]


def home() -> dict[str, Any]:
    return frame(
        module="工作台",
        kpis=KPIS,
        imports_url="/imports",
        tasks_more_url="/home",
        tasks=[
            ns(
                title="2026年秋季花名册", url="/imports", why="全镇 14 所学校，已报 11 所", state=State("warn", "剩3天")
            ),
            ns(
                title="核对结果待处理：蔡朱小学花名册",
                url="/review",
                why="187 行需修改，分 6 类",
                state=State("bad", "逾期1天"),
            ),
            ns(
                title="公安名单与学籍不一致 37 人",
                url="/progress",
                why="其中 25 人有确定建议",
                state=State("warn", "剩5天"),
            ),
            ns(title="核对监测对象名单", url="/imports", why="乡村振兴局 11月更新", state=State("mute", "12月4日")),
        ],
        imports=[
            ns(
                title="2026年秋季花名册-蔡朱小学.xlsx",
                url="/review",
                scope="水口镇",
                at=NOW,
                state=BAD,
                summary="1,204 行",
            ),
            ns(title="水口镇户籍人口6-15岁.xls", url="/receipt", scope="水口镇", at=NOW, state=OK, summary="9,351 行"),
            ns(title="学籍导出20260915.csv", url="/receipt", scope="水口镇", at=NOW, state=WARN, summary="8,960 行"),
        ],
        notices=[
            ns(text="水口镇花名册已通过审核", url="/receipt", at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)),
            ns(
                text="垄溪乡花名册被退回：第 58 行等 3 处",
                url="/review",
                at=dt.datetime.now(dt.UTC) - dt.timedelta(hours=7),
            ),
        ],
    )


def home_empty() -> dict[str, Any]:
    steps = ["登记乡镇和村", "登记学校和标识码", "设学年和学期", "建立账号和岗位", "导入第一份名单"]
    return frame(
        module="工作台",
        imports_url="/imports",
        checklist_url="/setup",
        demo=False,
        checklist=[ns(text=text, url="/setup", done=i < 2) for i, text in enumerate(steps)],
        done_note="上周办结 12 项。",
    )


CARDS = [
    ns(
        title="班级名册",
        lines=["各校本学期实际在班的学生。", "模板已填好上学期名单，只改「变动」列。"],
        state=State("warn", "剩3天"),
        template_url="#t",
        upload_url="/upload",
        running_url="/run",
        last=ns(text="9月3日 水口镇 9,164 行", url="/receipt"),
    ),
    ns(
        title="户籍人口",
        lines=["公安提供的 6 至 15 周岁户籍名单。", "按乡镇整份报送。"],
        state=State("ok", "已生效"),
        template_url="#t",
        upload_url="/upload",
        running_url="",
        last=ns(text="9月1日 9,351 行", url="/receipt"),
    ),
    ns(
        title="学籍",
        lines=["学籍系统导出的在籍学生，两代表头都认。"],
        state=State("bad", "逾期1天"),
        template_url="#t",
        upload_url="/upload",
        running_url="",
        last=None,
    ),
    ns(
        title="建档立卡",
        lines=["乡村振兴局的脱贫户和监测对象，含户和人。"],
        state=State("mute", "未开始"),
        template_url="#t",
        upload_url="/upload",
        running_url="",
        last=None,
    ),
    ns(
        title="困难类别",
        lines=["低保、特困、孤儿、残疾等名单，一类一份。"],
        state=State("mute", "未开始"),
        template_url="#t",
        upload_url="/upload",
        running_url="",
        last=None,
    ),
]


def imports(empty: bool = False) -> dict[str, Any]:
    states = [OK, WARN, BAD, State("bad", "处理失败"), MUTE, State("mute", "已被替代")]
    history = [
        ns(
            title=f"2026年秋季花名册-{NAMES[i][0]}家小学.xlsx",
            url="/review",
            kind="班级名册",
            scope=TOWNS[i],
            by="李校长",
            at=NOW,
            effective_on=dt.date(2026, 9, 1),
            state=states[i % 6],
            counts=ns(accepted=1204 - i, waiting=i, refused=0),
            receipt_url="/receipt" if i % 6 != 3 else "",
            retry_url="/run" if i % 6 == 3 else "",
        )
        for i in range(8)
    ]
    kinds = [ns(value=c.title, label=c.title, selected=False) for c in CARDS]
    return frame(
        module="导入",
        cards=CARDS,
        history=[] if empty else history,
        upload_url="/upload",
        kinds=kinds,
        states=[],
        q="",
        page=pager(312),
        scope_label="水口镇",
    )


def upload(bound: bool = False) -> dict[str, Any]:
    form = UploadForm(
        {"kind": "class-roster", "scope": "990121001", "effective_on": "九月", "mode": "complete"} if bound else None
    )
    return frame(
        module="导入",
        crumbs=crumbs("导入中心", "上传名单"),
        form=form,
        max_mb=50,
        max_rows=200000,
        template_url="#t",
        index_url="/imports",
        duplicate=ns(at=dt.date(2026, 9, 3), receipt_url="/receipt") if bound else None,
    )


UPLOAD = ns(
    title="2026年秋季花名册-蔡朱小学.xlsx",
    url="/review",
    kind="班级名册",
    scope="水口镇",
    effective_on=dt.date(2026, 9, 1),
    by="李校长",
    at=NOW,
    state=WARN,
    files=[ns(name="2026年秋季花名册-蔡朱小学.xlsx", sheets=6, rows=1207)],
    mode="全量",
)


def mapping() -> dict[str, Any]:
    options = [
        ns(value=str(i), label=label, selected=i == 1)
        for i, label in enumerate(("家长电话", "监护人姓名", "监护人电话", "住址"))
    ]
    columns = [
        ns(name=f"col-{i}", letter=letter, header=header, sheet="一年级", samples=samples, options=options, hint=hint)
        for i, (letter, header, samples, hint) in enumerate(
            [
                ("H", "家长", ["林大山", "陈建国", "王秀英"], "可能是监护人姓名"),
                ("K", "联系方式", ["138****0001", "139****0002", "150****0003"], ""),
            ]
        )
    ]
    known = [
        ns(letter=c, header=h, label=h, remembered=i > 2)
        for i, (c, h) in enumerate(
            zip("ABCDEFG", ["序号", "姓名", "性别", "身份证号", "年级", "班级", "走读/寄宿"], strict=True)
        )
    ]
    return frame(
        module="导入",
        crumbs=crumbs("导入中心", UPLOAD.title, "列对应"),
        upload=UPLOAD,
        columns=columns,
        known=known,
        remember=True,
        missing=[ns(label="学校", likely=[ns(value="L", label="L 列「就读」"), ns(value="M", label="M 列「单位」")])],
        cancel_url="/imports",
        forget_url="#f",
    )


def running(kind: str = "") -> dict[str, Any]:
    stages = [
        ns(label="读取", state="done", note="9,351 行"),
        ns(label="校验", state="now", note=""),
        ns(label="比对", state="todo", note=""),
        ns(label="写入", state="todo", note=""),
    ]
    progress = ns(
        stages=stages,
        percent=42,
        done=3927,
        total=9351,
        seconds_left=12,
        message="正在校验，42%",
        finished=bool(kind),
        poll_url="/progress-part",
        next_url="",
    )
    return frame(
        module="导入",
        crumbs=crumbs("导入中心", UPLOAD.title),
        upload=UPLOAD,
        progress=progress,
        cancel_url="#c",
        index_url="/imports",
        lost=kind == "lost",
        resume_url="#r",
        failed=ns(reason="文件打不开：它设有打开密码。请在 WPS 中取消密码后重新上传。", retry_url="#r")
        if kind == "failed"
        else None,
    )


def review(kind: str = "") -> dict[str, Any]:
    messages = [
        (
            "出生日期",
            "2013-05-20",
            "与身份证号（2013年5月2日）不一致。请改为 2013-05-02，或核对身份证号。",
            "2013-05-02",
        ),
        ("学校", "菜朱小学", "「菜朱小学」不在学校名录，是否为「蔡朱小学」？", "蔡朱小学"),
        ("身份证号", "", "证件号后 3 位已被表格软件抹去，无法恢复；请把该列设为文本后重填。", ""),
        ("年级", "十年级", "小学和初中没有「十年级」。请改为一年级至九年级。", ""),
    ]
    rows = [
        ns(
            anchor=f"r{i}",
            sheet="一年级",
            line=58 + 7 * i,
            name=NAMES[i],
            id_masked=masked(),
            column=c,
            value=v,
            message=m,
            suggestion=s,
            level="warn" if i == 3 else "bad",
            edit_url="/review-row",
            editable=i != 5,
        )
        for i, (c, v, m, s) in enumerate((messages * 3)[:8])
    ]
    good = kind == "good"
    groups = [
        ns(
            label="「学校」不在学校名录",
            count=14,
            url="#",
            current=True,
            bulk=ns(label="14 行都改为「蔡朱小学」", url="#"),
        ),
        ns(
            label="出生日期与身份证号不一致",
            count=61,
            url="#",
            current=False,
            bulk=ns(label="61 行都按身份证号", url="#"),
        ),
        ns(label="证件号被表格软件抹去", count=9, url="#", current=False, bulk=None),
    ]
    return frame(
        module="导入",
        crumbs=crumbs("导入中心", UPLOAD.title),
        upload=UPLOAD,
        counts=ns(read=1207, ready=1207 if good else 1204, waiting=0 if good else 3, refused=0),
        tiles=ns(
            added=fig(37, "新增"),
            changed=fig(112, "变更"),
            missing=fig(9, "上期有本期无"),
            unchanged=fig(1046, "无变化"),
        ),
        unexplained=9,
        groups=[] if good else groups,
        rows=[] if good else rows,
        page=None if good else pager(187),
        tabs=[]
        if good
        else [
            ns(label="需修改", url="#", count=187, current=True),
            ns(label="提示", url="#", count=42, current=False),
            ns(label="可入库", url="#", count=1204, current=False),
        ],
        can_submit=kind != "approve",
        submit_url="#s",
        can_approve=kind == "approve",
        approve_url="#a",
        return_url="#b",
        marked_url="#m",
        replace_url="#p",
        discard_url="" if kind == "approve" else "#d",
        note="蔡朱小学三年级一班缺两人，已另报。" if kind == "approve" else "",
        sent_back=None if good or kind == "approve" else ns(text="第 58 行等 3 处请改后再报。", by="陈主任", at=NOW),
        errors=[]
        if good or kind == "approve"
        else [ErrorItem(f"第 {r.line} 行「{r.column}」：{r.message}", r.anchor) for r in rows[:3]],
    )


def diff(kind: str) -> dict[str, Any]:
    titles = {"added": "新增", "changed": "变更", "missing": "上期有、本期无"}
    rows = [
        ns(
            name=NAMES[i],
            url="/student",
            id_masked=masked(),
            school="蔡朱小学",
            grade="三年级（1）班",
            line=f"一年级 第 {i + 5} 行",
            changes=[
                ns(label="班级", was="三年级（1）班", now="三年级（2）班"),
                ns(label="走读/寄宿", was="", now="寄宿"),
            ],
            whereabouts_name=f"to-{i}",
            whereabouts_value="moved" if i == 2 else "",
        )
        for i in range(9)
    ]
    options = [
        ns(value="out", label="转出本县"),
        ns(value="moved", label="转到本镇其他学校"),
        ns(value="done", label="已毕业"),
        ns(value="ill", label="休学"),
        ns(value="check", label="待核"),
    ]
    tabs = [
        ns(label=t, url=f"/diff-{k}", count=c, current=k == kind)
        for (k, t), c in zip(titles.items(), (37, 112, 9), strict=True)
    ]
    return frame(
        module="导入",
        crumbs=crumbs("导入中心", UPLOAD.title, titles[kind]),
        upload=UPLOAD,
        kind=kind,
        title=titles[kind],
        rows=rows,
        whereabouts=options,
        tabs=tabs,
        page=pager(112),
        unexplained=7 if kind == "missing" else 0,
        save_url="#s",
    )


def receipt() -> dict[str, Any]:
    counts = [
        fig(v, label, "行" if i < 4 else "人")
        for i, (label, v) in enumerate(
            [
                ("读到", 1207),
                ("入库", 1204),
                ("待改", 3),
                ("拒收", 0),
                ("新增", 37),
                ("变更", 112),
                ("上期有本期无", 9),
                ("无变化", 1046),
            ]
        )
    ]
    return frame(
        module="导入",
        crumbs=crumbs("导入中心", UPLOAD.title, "回执"),
        upload=ns(**{**vars(UPLOAD), "state": OK}),
        counts=counts,
        page=None,
        facts=[
            ns(label=a, value=b)
            for a, b in [
                ("流水号", "20260903-0017"),
                ("上传", "李校长 2026-09-03 08:05"),
                ("审核", "陈主任 2026-09-03 10:20"),
                ("生效日", "2026年9月1日"),
                ("方式", "全量"),
                ("范围", "水口镇"),
            ]
        ],
        files=[ns(name="2026年秋季花名册-蔡朱小学.xlsx", size=620000, url="#f", digest="9f2c4e1ab07d" * 5 + "9f2c")],
        decisions=[
            ns(text="按身份证号改正出生日期 61 行", by="李校长", at=NOW),
            ns(text="上期有、本期无 9 人已说明去向", by="李校长", at=NOW),
            ns(text="通过审核，1,204 行生效", by="陈主任", at=NOW),
        ],
        downloads=[ns(label="标注的原表", url="#m")],
        can_undo=True,
        undo_url="/undo",
        superseded=ns(text="这份名单已被 10月8日的补报续接", url="#n"),
    )


def undo(bound: bool = False) -> dict[str, Any]:
    buckets = [
        ns(key="withdrawn", label="将撤回", count=1180, text="回到上一份在用名单的内容。", rows=[], more=0),
        ns(
            key="kept",
            label="将保留",
            count=21,
            text="之后有人改过，或有更新的名单。",
            rows=[
                ns(name=NAMES[0], url="/student", reason="10月8日补报名单更新"),
                ns(name=NAMES[1], url="/student", reason="陈主任 10月9日更正班级"),
            ],
            more=19,
        ),
        ns(
            key="impossible",
            label="无法撤回",
            count=3,
            text="已有走访或发放记录，档案保留并标「来源已撤回」。",
            rows=[ns(name=NAMES[2], url="/student", reason="有走访记录 2 条")],
            more=2,
        ),
    ]
    return frame(
        module="导入",
        crumbs=crumbs("导入中心", UPLOAD.title, "撤回"),
        upload=UPLOAD,
        buckets=buckets,
        form=ReasonForm({} if bound else None),
        back_url="/receipt",
        refused="",
    )


def students(kind: str = "") -> dict[str, Any]:
    options = [ns(value="a", label="小学", selected=kind == ""), ns(value="b", label="初中", selected=False)]
    names = [
        ("stage", "学段"),
        ("town", "就读乡镇"),
        ("hukou", "户籍关系"),
        ("category", "困难类别"),
        ("state", "状态"),
    ]
    many = people_rows(50 if kind == "many" else 12)
    return frame(
        module="学生",
        scope_label="水口镇",
        total=fig(9351, "学生"),
        q="",
        page=pager(),
        rows=[] if kind == "empty" else many,
        filters=[ns(name=n, label=label, options=options) for n, label in names],
        columns=PERSON_COLUMNS,
        clear_url="#c",
        chips=[ns(label="学段：小学", remove_url="#a"), ns(label="困难类别：建档立卡", remove_url="#b")],
        choices=[ns(key=c.key, label=c.label, checked=True) for c in PERSON_COLUMNS],
        export_url="#e",
        bulk_url="#b",
        bulk=[]
        if kind == "nobulk"
        else [ns(value="assign", label="分配包保教师"), ns(value="export", label="导出名单")],
        select_all_label="选中全部 9,351 人",
    )


def student() -> dict[str, Any]:
    def src(text: str) -> ns:
        return ns(text=text, url="/source-row")

    roster, police = src("班级名册 一年级 第 58 行"), src("户籍人口 第 1204 行")

    def fact(label: str, value: str, source: ns | None = None, reveal: str = "") -> ns:
        return ns(label=label, value=value, source=source, reveal_url=reveal)

    groups = [
        ns(
            title="身份",
            facts=[
                fact("姓名", "林晓雨", police),
                fact("性别", "女", police),
                fact("出生日期", "2013年5月2日", police),
                fact("证件号", masked(), police, "#r"),
                fact("户籍地", "水口镇田心村", police),
                fact("民族", "汉族", src("学籍 第 77 行")),
            ],
        ),
        ns(
            title="就读",
            facts=[
                fact("学校", "蔡朱小学", roster),
                fact("年级班级", "四年级（1）班", roster),
                fact("走读/寄宿", "寄宿", ns(text="陈主任 2026-10-09 更正（名单为：走读）", url="#h")),
                fact("户籍关系", "本镇户籍", None),
                fact("监护人", "林大山（父）", roster),
                fact("监护人电话", "138****0001", roster, "#r"),
            ],
        ),
    ]
    timeline = [
        ns(
            on=dt.date(2026, 10, 9),
            url="",
            title="更正「走读/寄宿」",
            text="走读 → 寄宿；原因：家长来电，已核实",
            by="示例县教育局 陈主任",
        ),
        ns(
            on=dt.date(2026, 9, 3),
            url="/receipt",
            title="班级名册生效",
            text="三年级（1）班 → 四年级（1）班",
            by="水口镇中心校 李校长 上传，陈主任 通过",
        ),
        ns(on=dt.date(2026, 9, 1), url="/receipt", title="户籍人口名单生效", text="", by="水口镇中心校 李校长 上传"),
        ns(on=dt.date(2023, 9, 1), url="", title="一年级入学", text="蔡朱小学", by=""),
    ]
    return frame(
        module="学生",
        crumbs=crumbs("学生库", "水口镇", "蔡朱小学", "林晓雨"),
        student=ns(name="林晓雨", former_names="", public_id="S-7K2M-94QD"),
        state=State("ok", "在读"),
        flags=[State("mute", "本镇户籍"), State("warn", "身份证号待改")],
        groups=groups,
        timeline=timeline,
        household=ns(
            url="/household",
            label="林大山户 4 人",
            members=[
                ns(name="林大山", url="", relation="户主", text="务工"),
                ns(name="林晓雨", url="/student", relation="女", text="蔡朱小学四年级"),
                ns(name="林晓风", url="/student", relation="子", text="水口中学七年级"),
            ],
        ),
        sources=[
            ns(
                kind="班级名册",
                file="2026年秋季花名册-蔡朱小学.xlsx",
                sheet="一年级",
                line=58,
                effective_on=dt.date(2026, 9, 1),
                url="/source-row",
            ),
            ns(
                kind="户籍人口",
                file="水口镇户籍人口6-15岁.xls",
                sheet="",
                line=1204,
                effective_on=dt.date(2026, 9, 1),
                url="/source-row",
            ),
        ],
        sections=[
            ns(
                title="困难类别",
                columns=["类别", "档次", "起", "依据"],
                rows=[["脱贫户", "—", "2021-01-01", "建档立卡 第 12 行"]],
                empty="",
            ),
            ns(title="资助", rows=[], columns=[], empty="暂无资助记录。"),
        ],
        correct_url="#c",
        timeline_page=None,
    )


def household() -> dict[str, Any]:
    source = ns(text="建档立卡 第 12 行", url="/source-row")
    members = [
        ns(
            name=n,
            url="/student" if a < 18 else "",
            relation=r,
            sex=s,
            age=a,
            id_masked=masked(),
            text=t,
            states=[State("mute", "脱贫户")] if a < 18 else [],
        )
        for n, r, s, a, t in [
            ("林大山", "户主", "男", 41, ""),
            ("赵桂兰", "妻", "女", 39, ""),
            ("林晓雨", "女", "女", 13, "蔡朱小学四年级"),
            ("林晓风", "子", "男", 15, "水口中学七年级"),
        ]
    ]
    return frame(
        module="学生",
        crumbs=crumbs("学生库", "水口镇", "林大山户"),
        household=ns(label="林大山户", village="水口镇田心村", members_count=4),
        members=members,
        facts=[
            ns(label="户编号", value="99012100117", source=source),
            ns(label="户主", value="林大山", source=source),
            ns(label="属性", value="脱贫户", source=source),
        ],
        statuses=[
            ns(
                category="监测对象",
                level="脱贫不稳定户",
                from_on=dt.date(2024, 3, 1),
                until_on=dt.date(2025, 12, 31),
                source=source,
            ),
            ns(category="脱贫户", level="", from_on=dt.date(2021, 1, 1), until_on=None, source=source),
        ],
        conflict="户籍人口名单的户主是林大山，建档立卡名单的户主是林大海，请核对。",
        correct_url="#c",
    )


def search(kind: str) -> dict[str, Any]:
    hits = [
        ns(
            kind="学生",
            title=NAMES[i],
            url="/student",
            id_masked=masked() if i < 4 else "",
            where="水口镇 蔡朱小学 四年级（1）班",
            reason=r,
        )
        for i, r in enumerate(["姓名", "拼音首字母 lwl", "姓名含「李文」", "证件后4位", "导入文件名"])
    ]
    return frame(
        asked=bool(kind),
        query="李文" if kind else "",
        results=hits if kind == "hits" else [],
        more=kind == "hits",
        narrow=[
            ns(value="p", label="学生", count=41, current=True),
            ns(value="h", label="户", count=7, current=False),
            ns(value="s", label="学校", count=2, current=False),
        ]
        if kind == "hits"
        else [],
    )


def progress(kind: str = "") -> dict[str, Any]:
    return frame(
        module="进展",
        period_label="2026年第48周",
        as_of=NOW,
        kpis=KPIS,
        equation=GAP if kind == "gap" else EQUATION,
        tables=[town_table()],
        stale=["公安名单为8月数据"],
        exports=[ns(label="Word", url="#w"), ns(label="Excel", url="#x")],
        filters=[
            ns(
                name="stage",
                label="学段",
                options=[ns(value="", label="全部", selected=True), ns(value="2", label="小学", selected=False)],
            )
        ],
        copy_text="截至2026年11月27日，全县6～15周岁户籍人口39528人，义务教育在读38610人，核实率98.77%。",
        checklist=[
            ns(text="导入户籍人口名单", url="/imports", done=True),
            ns(text="导入学籍名单", url="/imports", done=False),
            ns(text="导入班级名册", url="/imports", done=False),
        ]
        if kind == "empty"
        else [],
    )


def indicator(kind: str = "") -> dict[str, Any]:
    points = [TrendPoint(f"{m}月", v) for m, v in ((6, 214), (7, 180), (8, 171), (9, 140), (10, 122), (11, 104))]
    return frame(
        module="进展",
        crumbs=crumbs("进展总览", "水口镇", "县外就读未取证"),
        figure=fig(0 if kind else 104, "县外就读未取证"),
        rate=Rate(104, 1204),
        definition=DEFINITION,
        points=[] if kind else points,
        breakdown=None if kind else town_table(),
        columns=PERSON_COLUMNS,
        rows=[] if kind else people_rows(),
        page=pager(104),
        beyond_scope=12,
        trace_url="/trace",
        export_url="#e",
    )


def trace() -> dict[str, Any]:
    return frame(
        module="报告",
        crumbs=crumbs("报告", "控辍保学进展", "溯源"),
        figure=fig(104, "县外就读未取证"),
        known_at=NOW,
        definition=DEFINITION,
        sentence="截至11月27日，县外就读1204人，其中未取证104人。",
        report=ns(title="2026年第48周进展", url="/report"),
        rule=[
            "户籍在本县，出生在 2010年9月1日至2020年8月31日之间",
            "就读学校在县外",
            "没有已审核的取证材料",
            "每人只计一次，归户籍乡镇",
        ],
        basis=[
            ns(label="在用名单", value="14 份"),
            ns(label="更正", value="3 条"),
            ns(label="口径版本", value="2026-09"),
        ],
        columns=PERSON_COLUMNS,
        rows=people_rows(6),
        page=pager(104),
        beyond_scope=12,
        package_url="#p",
        lists=[
            ns(
                file="水口镇户籍人口6-15岁.xls",
                kind="户籍人口",
                scope="水口镇",
                effective_on=dt.date(2026, 9, 1),
                rows=104,
                url="/receipt",
                digest="9f2c4e1ab07d33",
            )
        ],
        replay=ns(value=104, same=True, at=NOW),
    )


def source_row() -> dict[str, Any]:
    cells = [
        ns(letter=c, header=h, concept=k, value=v, sealed=s)
        for c, h, k, v, s in [
            ("A", "序号", "", "54", False),
            ("B", "姓名", "姓名", "林晓雨", False),
            ("C", "身份证号", "证件号", display.mask_id("990121"), True),
            ("D", "出生年月", "出生日期", "2013.5.2", False),
            ("H", "家长电话", "监护人电话", "", True),
            ("M", "备注", "", "", False),
        ]
    ]
    return frame(
        module="导入",
        crumbs=crumbs("导入中心", UPLOAD.title, "第 58 行"),
        upload=UPLOAD,
        part=ns(file="花名册-蔡朱小学.xlsx", sheet="一年级", line=58),
        cells=cells,
        student=ns(name="林晓雨", url="/student"),
        findings=[ns(level="warn", column="出生日期", message="由「2013.5.2」读成 2013年5月2日")],
        next_url="#n",
        previous_url="#p",
    )


def report() -> dict[str, Any]:
    table = town_table()
    table.rows = table.rows[:5]
    return frame(
        module="报告",
        crumbs=crumbs("报告", "控辍保学和资助工作进展"),
        report=ns(
            title="示例县控辍保学和学生资助工作进展",
            subtitle="（2026年第48周）",
            office="示例县教育局",
            issued_on=TODAY,
        ),
        sections=[
            ns(
                title="一、基本情况",
                paragraphs=[
                    [
                        "截至2026年11月27日，全县6～15周岁户籍人口",
                        fig(39528, "户籍人口"),
                        "，义务教育在读",
                        fig(38610, "在读"),
                        "，县外就读未取证",
                        fig(104, "未取证"),
                        "。",
                    ]
                ],
                tables=[],
            ),
            ns(
                title="二、资助情况",
                paragraphs=[
                    ["本学期发放资助", fig(4887, "人次", "人次"), "，金额", fig(Decimal("4124600"), "资助", "元"), "。"]
                ],
                tables=[table],
            ),
        ],
        downloads=[ns(label="导出 Word", url="#w"), ns(label="导出 Excel", url="#x")],
        tie_outs=[
            ns(text="分乡镇人口之和等于全县人口", ok=True, url=""),
            ns(text="九项资助之和等于总额", ok=False, url="#"),
        ],
    )


SETUP = ["概况", "区划", "学校", "学年学期", "人员岗位", "字典"]


def setup(current: str, **more: Any) -> dict[str, Any]:
    tabs = [
        ns(label=s, url=f"/setup-{i}" if i else "/setup", count=None, current=s == current) for i, s in enumerate(SETUP)
    ]
    return frame(module="设置", setup_tabs=tabs, **more)


def setup_pages() -> dict[str, tuple[str, Callable[[], dict[str, Any]]]]:
    def towns() -> list[ns]:
        villages = [
            ns(name=n, code=f"9901210012{i:02d}", url="#", state=State("mute", "已并入田心村") if i == 3 else None)
            for i, n in enumerate(["田心村", "江口村", "石围村", "老屋村"])
        ]
        return [
            ns(name=t, code=f"9901210{i:02d}", url="#", schools=14 - i, villages=villages, open=i == 0)
            for i, t in enumerate(TOWNS[:4])
        ]

    columns = [
        ns(
            label="姓名",
            required=True,
            text="与证件一致",
            synonyms=["姓名", "学生姓名"],
            values=[],
            checks=["不能有数字", "自造字须重新录入"],
            sealed=False,
        ),
        ns(
            label="证件号",
            required=True,
            text="18 位居民身份证号",
            synonyms=["身份证号", "身份证件号", "证件号码"],
            values=[],
            checks=["校验位", "与出生日期一致"],
            sealed=True,
        ),
        ns(
            label="走读/寄宿",
            required=False,
            text="",
            synonyms=["是否寄宿", "走读"],
            values=["走读", "寄宿"],
            checks=[],
            sealed=False,
        ),
    ]
    years = [
        ns(
            label=f"{y}-{y + 1}",
            url="#",
            starts_on=dt.date(y, 9, 1),
            ends_on=dt.date(y + 1, 8, 31),
            terms=[
                ns(label="秋季", url="#", starts_on=dt.date(y, 9, 1), ends_on=dt.date(y + 1, 1, 31), current=y == 2026),
                ns(label="春季", url="#", starts_on=dt.date(y + 1, 2, 1), ends_on=dt.date(y + 1, 8, 31), current=False),
            ],
        )
        for y in (2026, 2025)
    ]
    people = [
        ns(
            name=n,
            username=u,
            url="#",
            last_login=NOW,
            state=State("ok", "启用") if i else State("mute", "停用"),
            posts=[ns(role=r, place=p, from_on=dt.date(2025, 9, 1), until_on=None)],
        )
        for i, (n, u, r, p) in enumerate(
            [
                ("陈主任", "county", "县局干事", "示例县"),
                ("李校长", "town-a", "中心校校长", "水口镇"),
                ("周校长", "town-b", "中心校校长", "垄溪乡"),
            ]
        )
    ]
    schools = [
        ns(
            name=f"{n}小学",
            code=f"214300{i:04d}",
            url="#",
            town=TOWNS[i % 13],
            stages="小学",
            kind="公办",
            other_names="蔡朱完小、蔡朱中心小学" if i == 0 else "",
            pupils=fig(300 + i, "学生"),
            state=None,
        )
        for i, n in enumerate(["蔡朱", "田心", "江口", "石围"])
    ]
    steps = [
        ns(text=t, url="#", done=i < 3)
        for i, t in enumerate(["登记乡镇和村", "登记学校和标识码", "设学年和学期", "建立账号和岗位", "导入第一份名单"])
    ]
    options = [ns(value="1", label="水口镇", selected=False)]
    return {
        "setup": (
            "setup/index.html",
            lambda: setup(
                "概况",
                counts=[fig(13, "乡镇", "个"), fig(142, "村", "个"), fig(186, "学校", "所"), fig(97, "人员", "人")],
                checklist=steps,
            ),
        ),
        "setup-1": (
            "setup/regions.html",
            lambda: setup(
                "区划",
                county=ns(name="示例县", code="990121", code_system="统计用区划代码"),
                towns=towns(),
                add_url="#",
            ),
        ),
        "setup-2": (
            "setup/schools.html",
            lambda: setup("学校", schools=schools, towns=options, stages=options, page=pager(186), add_url="#", q=""),
        ),
        "setup-3": ("setup/calendar.html", lambda: setup("学年学期", years=years, add_url="#")),
        "setup-4": (
            "setup/users.html",
            lambda: setup("人员岗位", people=people, roles=options, towns=options, page=pager(97), add_url="#", q=""),
        ),
        "setup-5": (
            "setup/dictionaries.html",
            lambda: setup(
                "字典",
                kinds=[ns(label=c.title, url="#", current=i == 0) for i, c in enumerate(CARDS)],
                kind=ns(label="班级名册", description="各校本学期实际在班的学生。", template_url="#", columns=columns),
                codes=[
                    ns(
                        title="困难类别",
                        rows=[ns(code="01", label="建档立卡", note=""), ns(code="02", label="低保", note="")],
                    )
                ],
            ),
        ),
        "setup-form": (
            "setup/form.html",
            lambda: setup(
                "学校",
                crumbs=crumbs("设置", "学校", "蔡朱小学"),
                title="蔡朱小学",
                form=SchoolForm({"name": "", "code": "2143"}),
                back_url="/setup-2",
                history=[ns(at=NOW, text="建立", by="陈主任")],
                danger=ns(label="停用", url="#"),
            ),
        ),
    }
