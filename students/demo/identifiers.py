"""Numbers of invented people: valid in form, impossible in life.

Every ID number starts with 99, a region that GB/T 2260 does not assign, so none can belong to a real person; the
check digit (GB 11643, MOD 11-2) is right. Telephone numbers come from one block of a million, 19900000000 on.
"""

import random
from datetime import date

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_PHONE_BLOCK = 1_000_000


def check_digit(body: str) -> str:
    """Return the 18th character for the first 17 digits of an ID number."""
    return _CHECKS[sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11]


def fifteen_digits(number: str) -> str:
    """Return the form that was issued before 1999: two-digit year, no check digit."""
    return number[:6] + number[8:17]


def phone(serial: int) -> str:
    """Return the telephone number of a serial; a million serials have different numbers, and neighbours differ."""
    return f"19900{serial * 617_921 % _PHONE_BLOCK:06d}"


class IdentityNumbers:
    """Issues ID numbers, none twice. Odd sequence numbers are men's, even ones women's."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._issued: set[str] = set()

    def issue(self, region: str, born: date, sex: str, *, after: str = "") -> str:
        """Issue a number; `after` gives the number of an elder twin, whose sequence the new one follows."""
        head = f"{region}{born:%Y%m%d}"
        parity = 1 if sex == "男" else 0
        sequence = int(after[14:17]) + 1 if after else self._rng.randint(10, 690)
        for _ in range(999):
            if sequence % 2 == parity:
                body = f"{head}{sequence:03d}"
                if body not in self._issued:
                    self._issued.add(body)
                    return body + check_digit(body)
            sequence = sequence % 998 + 1
        raise ValueError(f"no sequence number is left for {region} on {born}")


def registry_number(prefix: str, *, id_no: str, school_region: str, born: date, serial: int) -> str:
    """Return a 19-character registry number 学籍号.

    G is followed by the ID number at the time of registration; J by school region, birth date, three digits and a
    check digit; L by school region, birth date and four digits.
    """
    if prefix == "G":
        return "G" + id_no
    body = f"{school_region}{born:%Y%m%d}{serial % 1000:03d}"
    if prefix == "J":
        return "J" + body + check_digit(body)
    return f"L{body}{serial * 7 % 10}"
