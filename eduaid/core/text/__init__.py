"""Chinese identity and everyday values, read from cells. Pure functions, no Django.

``results`` says how the parsers answer; ``sentences`` holds what is said to the user.
"""

from eduaid.core.text.characters import (
    FORMULA_STARTS,
    compact,
    guard_formula,
    half_width,
    has_unstorable,
    plain,
    restore_formula,
    tidy,
)
from eduaid.core.text.dates import parse_date, parse_month
from eduaid.core.text.ids import (
    IdNumber,
    XuejiNumber,
    born_on,
    check_digit,
    damaged_prefix,
    id_candidates,
    id_region_is_known,
    is_valid_id,
    parse_id,
    parse_xueji,
    possible_ids,
    sex_of,
)
from eduaid.core.text.masks import mask_card, mask_id, mask_phone, mask_xueji, scrub
from eduaid.core.text.names import mask_name, name_key, parse_name, spaceless
from eduaid.core.text.numbers import (
    parse_amount,
    parse_card,
    parse_flag,
    parse_phone,
    parse_region_code,
    parse_whole,
)
from eduaid.core.text.pinyin import NameSound, name_sound
from eduaid.core.text.results import Column, Parsed, Problem, Result
from eduaid.core.text.schooling import GRADES, Grade, SchoolClass, parse_class, parse_grade
from eduaid.core.text.sentences import NOTES, SENTENCES

__all__ = [
    "FORMULA_STARTS", "GRADES", "NOTES", "SENTENCES", "Column", "Grade", "IdNumber", "NameSound", "Parsed", "Problem",
    "Result", "SchoolClass", "XuejiNumber", "born_on", "check_digit", "compact", "damaged_prefix", "guard_formula",
    "half_width", "has_unstorable", "id_candidates", "id_region_is_known", "is_valid_id", "mask_card", "mask_id",
    "mask_name", "mask_phone", "mask_xueji", "name_key", "name_sound", "parse_amount", "parse_card", "parse_class",
    "parse_date", "parse_flag", "parse_grade", "parse_id", "parse_month", "parse_name", "parse_phone",
    "parse_region_code", "parse_whole", "parse_xueji", "plain", "possible_ids", "restore_formula", "scrub", "sex_of", "spaceless",
    "tidy",
]  # fmt: skip
