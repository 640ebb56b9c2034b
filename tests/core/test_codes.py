import pytest

from eduaid.core import codes
from eduaid.core.cells import Cell, ErrorValue
from eduaid.core.text import Parsed, Problem


@pytest.mark.parametrize(
    ("table", "cell", "code"),
    [
        (codes.SEX, "男", "1"),
        (codes.SEX, "女性", "2"),
        (codes.SEX, "1", "1"),
        (codes.SEX, 2.0, "2"),
        (codes.SEX, "1-男", "1"),
        (codes.SEX, "女(2)", "2"),
        (codes.ETHNIC, "汉", "01"),
        (codes.ETHNIC, "汉族", "01"),
        (codes.ETHNIC, "01", "01"),
        (codes.ETHNIC, 1.0, "01"),
        (codes.ETHNIC, "22-畲族", "22"),
        (codes.ETHNIC, "畬族", "22"),
        (codes.RELATION, "之子", "20"),
        (codes.RELATION, "爷爷", "61"),
        (codes.RELATION, "之儿媳", "38"),
        (codes.HARDSHIP_TYPE, "农村低保", "2"),
        (codes.HARDSHIP_TYPE, "建档立卡", "1"),
        (codes.HARDSHIP_LEVEL, "特别困难", "1"),
        (codes.POVERTY_STATUS, "边缘户", "6"),
        (codes.POVERTY_STATUS, "监测对象-脱贫不稳定户", "5"),
        (codes.IN_SCHOOL, "七年级", "04"),
        (codes.BOARDING, "住校", "2"),
        (codes.BOARDING, "走读生", "1"),
        (codes.LEFT_BEHIND, "双亲留守", "2"),
        (codes.LEFT_BEHIND, "0", "0"),
        (codes.ID_TYPE, "居民身份证", "1"),
        (codes.ID_TYPE, "a", "A"),
        (codes.HUKOU_TYPE, "农业家庭户口", "1"),
        (codes.HEALTH, "良好", "10"),
        (codes.WHEREABOUTS, "外出务工", "C1"),
        (codes.STAGE, "幼儿园", "1"),
        (codes.OVERSEAS, "否", "00"),
    ],
)
def test_codes_labels_and_everyday_words_are_read(table: codes.Table, cell: Cell, code: str) -> None:
    answer = table.parse(cell)
    assert isinstance(answer, Parsed)
    assert answer.value == code


def test_what_two_codes_share_is_asked_with_both() -> None:
    assert codes.SEX.parse("0") == Problem("code-several", {"table": "性别", "candidates": "女、未知"})
    assert Problem("code-several", {"table": "性别", "candidates": ""}).level == "ask"


def test_unknown_words_contradictions_and_errors_are_not_guessed() -> None:
    assert codes.ETHNIC.parse("穿青人") == Problem("code-unknown", {"table": "民族"})
    assert codes.SEX.parse("1-女") == Problem("code-unknown", {"table": "性别"})
    assert codes.SEX.parse(ErrorValue("#N/A")) == Problem("cell-error", {"code": "#N/A"})
    assert codes.SEX.parse(None) is None
    assert codes.SEX.parse(" ") is None


def test_tables_are_complete_and_every_label_reads_as_itself() -> None:
    assert len(codes.ETHNIC) == 58
    assert len(codes.RELATION) == 84
    for table in codes.TABLES:
        for entry in table:
            assert table.parse(entry.label) == Parsed(entry.code), (table, entry)
            assert entry.source or entry.code == "0", (table, entry)


def test_labels_choices_and_facts_come_from_the_files() -> None:
    assert codes.SEX.label("1") == "男"
    assert codes.SEX.label("") == ""
    assert codes.HARDSHIP_LEVEL.choices[0] == ("1", "特别困难")
    assert codes.WHEREABOUTS["C7"].facts == {"counts": "Y(待核)", "evidence": "上报乡镇政府"}
    assert codes.GRADE["21"].facts["entry_age"] == "6"
    assert codes.DISABILITY["5"].group == "三残"
    with pytest.raises(KeyError):
        codes.SEX.label("7")
