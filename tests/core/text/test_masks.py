import pytest

from eduaid.core.text import mask_card, mask_id, mask_phone, mask_xueji, scrub


def test_masks_leave_what_product_rules_allow() -> None:
    assert mask_id("990121201209012342") == "990121************"
    assert mask_xueji("G990121201209012342") == "G990121************"
    assert mask_phone("13807970001") == "138****0001"
    assert mask_phone("13807970001、13907970002") == "138****0001、139****0002"
    assert mask_phone("0797-2234567") == "********4567"
    assert mask_card("6222021234567890128") == "***************0128"
    assert mask_id("12345") == "*****"


@pytest.mark.parametrize(
    "number",
    [
        "990121201209012342",
        "99012120120901003X",
        "99012120120901003x",
        "G990121201209012342",
        "990121120901234",
        "９９０１２１２０１２０９０１２３４２",
        "990121 20120901 2342",
        "990121-20120901-2342",
        "13807970001",
        "+86 13807970001",
        "138 0797 0001",
        "6222021234567890128",
        "6222 0212 3456 7890 128",
        "0797-2234567",
        "9.90121E+17",
        "99012120120901234",
        "990121201209012345678",
    ],
)
def test_no_personal_number_survives_in_a_log(number: str) -> None:
    for line in (f"ID{number}", f"row 5: {number}, x", f"证件号{number}重复", f'"{number}"', f"a={number};"):
        cleaned = scrub(line)
        assert "[号码]" in cleaned
        assert number not in cleaned
        assert sum(char.isdigit() for char in cleaned) <= 2


def test_other_numbers_stay_readable() -> None:
    line = (
        "upload 20240901123456 took 0.1234567890123456 s at 2026-11-23T16:33:28.123456Z, 12000 rows, port 5432, "
        "village 990121001201, sha256=3f2c1380797000155aa93f2c1380797000155aa93f2c1380797000155aa93f2c13807970"
    )
    assert scrub(line) == line
