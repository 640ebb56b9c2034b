"""How numbers are shown: never in full. Pages unmask by their own logged act, not here."""

import re


def mask_id(number: str) -> str:
    """First six characters and stars. With birth date and village beside it, any trailing digit would identify."""
    return number[:6] + "*" * (len(number) - 6) if len(number) > 6 else "*" * len(number)


def mask_xueji(number: str) -> str:
    """G and six region digits, then stars: the rest is an ID number."""
    return number[:7] + "*" * (len(number) - 7) if len(number) > 7 else "*" * len(number)


def mask_phone(number: str) -> str:
    """138****0001; of other numbers the last four; each of several."""
    if "、" in number:
        return "、".join(map(mask_phone, number.split("、")))
    if len(number) == 11 and number.isdigit():
        return f"{number[:3]}****{number[7:]}"
    return "*" * (len(number) - 4) + number[-4:] if len(number) > 6 else "*" * len(number)


def mask_card(number: str) -> str:
    """Stars and the last four."""
    return "*" * (len(number) - 4) + number[-4:] if len(number) > 4 else "*" * len(number)


# An ID (15 or 18, inside a 学籍号 too), a damaged ID, a card (16–19 digits, grouped or not), a mobile or landline
# number. Any longer run of digits goes as well; a hash (32 or more hexadecimal characters) and the digits of a
# fraction stay.
_D = "[0-9０-９]"
_X = "[0-9０-９XxＸｘ]"
_GAP = "[ \\-\u00a0\u3000]?"
_PERSONAL = re.compile(
    r"(?P<hash>\b[0-9a-f]{32,}\b)"
    f"|[GJLgjl]?(?<![0-9０-９])(?<![0-9]\\.)(?:{_D}{{6}}{_GAP}{_D}{{4}}{_GAP}{_D}{{4}}{_GAP}{_D}{{3}}{_X}(?!{_D})|{_D}{{17}}[XxＸｘ]|{_D}{{15,}})"
    f"|(?<![0-9０-９])(?<![0-9]\\.){_D}{{4}}(?:{_GAP}{_D}{{4}}){{3}}(?:{_GAP}{_D}{{1,3}})?"
    f"|(?<![0-9０-９])(?:(?:\\+|00)?86[ -]?)?[1１]{_D}{{2}}{_GAP}{_D}{{4}}{_GAP}{_D}{{4}}(?![0-9０-９])"
    r"|(?<![0-9])0[0-9]{2,3}-[1-9][0-9]{6,7}(?![0-9])"
    r"|[0-9]\.[0-9]{4,}[Ee]\+?1[0-9]"
)


def scrub(text: str) -> str:
    """Text for logs: ID numbers, phones and cards replaced by [号码]."""
    return _PERSONAL.sub(lambda match: match["hash"] or "[号码]", text)
