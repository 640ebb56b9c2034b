"""The HTML around numbers, states and errors."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django import forms
from django.template import Context, Template
from django.utils.safestring import SafeString

from eduaid.core.display import ErrorItem, Rate, State, TrendPoint
from eduaid.core.templatetags import ui


@dataclass(frozen=True)
class Figure:
    value: int | Decimal | str | None
    label: str = "县外就读未取证"
    unit: str = "人"
    url: str = "/i/x/"


def test_a_figure_leads_to_its_rows_and_carries_its_exact_value() -> None:
    assert ui.figure(Figure(39528)) == (
        '<a class="fig" href="/i/x/" data-value="39528" aria-label="县外就读未取证 39,528 人">39,528</a>'
        ' <small class="unit">人</small>'
    )


def test_in_a_table_the_unit_is_left_to_the_header() -> None:
    assert ui.figure(Figure(Decimal("4124600.50"), unit="元"), table=True) == (
        '<a class="fig" href="/i/x/" data-value="4124600.50">412.4601</a>'
    )


def test_a_zero_is_quiet_and_still_leads_to_its_explanation() -> None:
    assert ui.figure(Figure(0), table=True) == '<a class="fig zero" href="/i/x/" data-value="0">0</a>'


def test_a_figure_beyond_the_readers_scope_is_a_plain_number() -> None:
    assert ui.figure(Figure(12, url=""), table=True) == '<span class="fig">12</span>'
    assert ui.figure(Figure(None), table=True) == '<span class="fig">—</span>'
    assert ui.figure(None) == '<span class="fig">—</span>'


def test_in_a_report_sentence_the_unit_follows_at_once_without_separators() -> None:
    assert ">9351人</a>" in ui.figure_prose(Figure(9351))
    assert ">412.46万元</a>" in ui.figure_prose(Figure(Decimal("4124600"), unit="元"))


def test_markup_in_a_label_or_an_address_is_escaped() -> None:
    html = ui.figure(Figure(1, label='<b>"', url='/i/?a="><script>'))
    assert "<b>" not in html
    assert "<script>" not in html


def test_a_state_is_word_shape_and_colour() -> None:
    assert ui.state(State("bad", "逾期1天")) == (
        '<span class="tag tag-bad"><span aria-hidden="true">■</span> 逾期1天</span>'
    )
    assert ui.state(None) == ""


def test_a_cell_is_shown_by_its_kind() -> None:
    assert ui.cell(Rate(9336, 9351)) == '<span class="fig">99.84%</span>'
    assert ui.cell("蔡朱小学 <三>") == "蔡朱小学 &lt;三&gt;"
    assert ui.cell(Figure(5)).startswith('<a class="fig"')
    assert ui.cell(1204) == '<span class="fig">1,204</span>'
    kinds = (Rate(1, 2), State("ok", "已完成"), "文字", 5)
    assert [ui.is_numeric(item) for item in kinds] == [True, False, False, True]


def test_screen_readers_hear_that_a_number_is_hidden() -> None:
    assert ui.mask_id("990121") == (
        '<span class="mono mask"><span aria-hidden="true">990121************</span>'
        '<span class="vh">证件号已隐藏</span></span>'
    )


def test_hidden_cents_are_said_beside_the_table_money() -> None:
    assert ui.money(Decimal("7812.50")) == (
        '<span title="含角分：7,812.50元">0.7813<span class="vh">（含角分，合7,812.50元）</span></span>'
    )
    assert ui.money(Decimal("7812.00")) == "0.7812"


def test_a_trend_needs_two_points_and_says_them_aloud() -> None:
    assert ui.trend([TrendPoint("6月", 214)]) == ""
    html = ui.trend([TrendPoint("6月", 214), TrendPoint("7月", 107)], "人")
    assert 'aria-label="走势：6月 214人，7月 107人"' in html
    assert 'points="4.0,18.0 300.0,71.0"' in html
    assert "style=" not in html


def test_an_undefined_value_reads_like_none() -> None:
    template = Template("{{ nothing|number }} {{ nothing|zh_date }} {{ nothing|wan }} {{ nothing|mask_id }}")
    assert template.render(Context()) == "— — — —"


class _Form(forms.Form):
    name = forms.CharField(label="学校名称")
    stage = forms.ChoiceField(label="学段", choices=[("2", "小学")])
    code = forms.CharField(label="学校标识码", min_length=10, required=False)

    def clean(self) -> None:
        raise forms.ValidationError("这所学校已登记")


def test_the_error_summary_lists_all_in_page_order_and_names_empty_fields() -> None:
    form = _Form({"name": "", "stage": "", "code": "12"})
    items = ui.error_items(["第 58 行「学校」不在学校名录", ErrorItem("请选择文件", "id_files")], form)
    assert items[:5] == [
        ErrorItem("第 58 行「学校」不在学校名录"),
        ErrorItem("请选择文件", "id_files"),
        ErrorItem("这所学校已登记"),
        ErrorItem("请填写「学校名称」", "id_name"),
        ErrorItem("请选择「学段」", "id_stage"),
    ]
    assert items[5].anchor == "id_code"
    assert ui.error_items(None, None, "") == []
    assert ui.error_items([], _Form()) == []


def test_the_sentence_beside_the_field_is_the_one_in_the_summary() -> None:
    form = _Form({"name": "", "stage": "2", "code": ""})
    assert ui.field_errors(form["name"]) == [item.text for item in ui.error_items([], form) if item.anchor == "id_name"]


def test_a_difference_loses_its_inline_styles_and_nothing_else() -> None:
    marked = SafeString('<del style="background:#ffe6e6;">走读</del><ins style="background:#e6ffe6;">寄宿</ins>')
    assert ui.without_styles(marked) == "<del>走读</del><ins>寄宿</ins>"
    assert ui.without_styles("<b>") == "&lt;b&gt;"


def test_there_are_twelve_icons_and_none_carries_a_colour_of_its_own() -> None:
    assert len(ui.ICONS) == 12
    assert all('stroke="currentColor"' in ui.icon(name) for name in ui.ICONS)
