import pytest

from eduaid.core.text import Parsed, Problem, mask_name, name_key, name_sound, parse_name, spaceless


@pytest.mark.parametrize(
    "name", ["王伟", "欧阳娜娜", "阿依古丽·买买提", "𠮷田", "王䶮", "李\U0002cc56", "Maria Anna", "ئايگۈل"]
)
def test_a_plain_name_is_stored_as_it_stands(name: str) -> None:
    assert parse_name(name) == Parsed(name)


@pytest.mark.parametrize(
    ("cell", "stored", "note"),
    [
        ("王 伟", "王伟", "name-space"),
        ("王\u3000伟", "王伟", "name-space"),
        (" 王伟\n", "王伟", "tidied"),
        ("\u200b王伟\ufeff", "王伟", "tidied"),
        ("阿依古丽•买买提", "阿依古丽·买买提", "name-dot"),
        ("阿依古丽．买买提", "阿依古丽·买买提", "name-dot"),
        ("阿依古丽.买买提", "阿依古丽·买买提", "name-dot"),
        ("阿依古丽。买买提", "阿依古丽·买买提", "name-dot"),
        ("阿依古丽 ‧ 买买提", "阿依古丽·买买提", "name-dot"),
        ("\uf90a伟", "金伟", "name-form"),  # a compatibility ideograph, canonically the same as 金
    ],
)
def test_harmless_spellings_of_a_name_are_read_and_noted(cell: str, stored: str, note: str) -> None:
    assert parse_name(cell) == Parsed(stored, note)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("王  伟", "name-spaces"),
        ("王\ue001", "name-private"),
        ("王\U000f0001", "name-private"),
        ("王?", "name-lost"),
        ("王\ufffd", "name-lost"),
        ("王伟2", "name-digits"),
        ("王伟（转学）", "name-brackets"),
        ("王", "name-length"),
        ("王伟。", "name-form"),
        ("·王伟", "name-form"),
        ("王\x01伟", "cell-control"),
        ("王\ud800", "cell-control"),
        ("王" * 32_767, "cell-length"),
        (5.0, "name-digits"),
    ],
)
def test_doubtful_names_are_put_to_a_person(cell: object, code: str) -> None:
    answer = parse_name(cell)  # type: ignore[arg-type]
    assert isinstance(answer, Problem)
    assert answer.code == code


def test_the_reading_offered_for_a_spaced_name_has_no_spaces() -> None:
    assert spaceless(" 王 \u3000伟 ") == "王伟"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("阿依古丽·买买提", "阿依古丽买买提"),
        ("\u2f24伟", "大伟"),  # a radical that looks like 大
        ("\u2ee2军", "马军"),
        ("黃麗", "黄丽"),
        ("\uf90a伟", "金伟"),
        ("O'Neil-Ann", "oneil ann"),
    ],
)
def test_spellings_of_one_name_share_a_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


def test_look_alikes_and_homophones_keep_different_keys() -> None:
    assert len({name_key(name) for name in ("王伟", "王玮", "王末", "王未", "王喆", "王哲")}) == 6


@pytest.mark.parametrize(
    ("name", "full", "initials"),
    [
        ("李文龙", ("liwenlong",), ("lwl",)),
        ("单雯", ("shanwen", "danwen"), ("sw", "dw")),
        ("解晓东", ("xiexiaodong", "jiexiaodong"), ("xxd", "jxd")),
        ("仇英", ("qiuying", "chouying"), ("qy", "cy")),
        ("曾小贤", ("zengxiaoxian", "cengxiaoxian"), ("zxx", "cxx")),
        ("查明", ("zhaming", "chaming"), ("zm", "cm")),
        ("区明", ("ouming", "quming"), ("om", "qm")),
        ("朴明", ("piaoming", "puming"), ("pm",)),
        ("盖明", ("geming", "gaiming"), ("gm",)),
        ("覃明", ("qinming", "tanming"), ("qm", "tm")),
        ("欧阳娜娜", ("ouyangnana",), ("oynn",)),
        ("尉迟恭", ("yuchigong",), ("ycg",)),
        ("吕布", ("lvbu",), ("lb",)),
        ("黃蓉", ("huangrong",), ("hr",)),
        ("李\U0002cc56", None, None),  # a rare character of names (docs/wording.md): it must not raise
    ],
)
def test_names_sound_as_people_say_them(
    name: str, full: tuple[str, ...] | None, initials: tuple[str, ...] | None
) -> None:
    sound = name_sound(name)
    if full is None:
        assert sound.full[0].startswith("li")
    else:
        assert (sound.full, sound.initials) == (full, initials)


def test_a_masked_name_keeps_first_and_last_character() -> None:
    assert [mask_name(name) for name in ("李小雨", "李雨", "李", "欧阳小雨", "")] == ["李*雨", "李*", "*", "欧**雨", ""]
