"""What each problem and note says to the person who sent the list: one code, one sentence.

A sentence says what is wrong and what to do; it follows 「第 58 行『身份证号』」 and never contains the value.
"""

from typing import NamedTuple


class Sentence(NamedTuple):
    text: str
    asks: bool = False  # a person may confirm; otherwise the cell must be corrected


def _ask(text: str) -> Sentence:
    return Sentence(text, asks=True)


SENTENCES: dict[str, Sentence] = {
    # any cell
    "cell-error": Sentence("是公式出错的结果 {code}。请改为实际内容，再重新上传"),
    "cell-uncached": Sentence("是公式，文件里没有它的计算结果。请在表格软件中打开并保存一次，或把公式粘贴为数值"),
    "cell-merged": Sentence("是几行合并的单元格，看不出各行的内容。请取消合并，逐行填写"),
    "cell-control": Sentence("含有看不见的控制字符。请删除该格内容后重新录入"),
    "cell-length": Sentence("有 {length} 个字，超出长度限制。请只保留该列应填的内容"),
    # identity numbers
    "id-damaged": Sentence(
        "证件号后几位已被表格软件抹去，无法恢复（数字超过 15 位）。请把该列设为文本后重填，或从候选中选择"
    ),
    "id-masked": Sentence("证件号被星号遮住，不能使用。请填写完整号码"),
    "id-characters": Sentence("证件号中混有不应有的字符（如字母 O、l 或短横线）。请对照证件逐位核对后重填"),
    "id-length": Sentence("证件号是 {length} 位，应为 18 位。请对照证件补全或删去多余的数字"),
    "id-15": _ask("是 15 位旧证件号，只有 1999 年以前出生的人才可能有。请填写 18 位证件号，或确认后以待更正入库"),
    "id-15-child": Sentence("是 15 位旧证件号，1999 年以后出生的人不会有。请填写 18 位证件号"),
    "id-check": Sentence("证件号校验不通过：有一位写错，或相邻两位写反。请对照证件改正，或从候选中选择"),
    "id-birth": Sentence("证件号第 7 至 14 位不是有效日期。请对照证件改正"),
    "id-none": _ask("没有证件号。确无证件的，请把证件类型选为“其他”，并由学校出具就读证明"),
    "id-xueji": Sentence("这是学籍号，不是证件号。请填写证件上的号码"),
    "id-type": _ask("不像居民身份证号。如果是护照等其他证件，请填写证件类型"),
    "id-other": Sentence("证件号含有不能识别的字符。请对照证件重填"),
    # student registry numbers
    "xueji-form": Sentence("学籍号应为字母 G、J 或 L 加 18 位号码，共 19 位。请对照学籍系统核对"),
    "xueji-embedded": Sentence("学籍号中的证件号校验不通过。请对照学籍系统核对"),
    "xueji-id": Sentence("这是证件号，不是学籍号。请填写学籍系统中的学籍号"),
    "xueji-birth": Sentence("学籍号中的出生日期无效。请对照学籍系统核对"),
    # names
    "name-private": _ask("姓名含有自造字（只在原电脑上能显示）。请用生僻字输入法重新录入这个字"),
    "name-lost": Sentence("姓名中有字丢失，显示为问号或方框。请重新录入姓名"),
    "name-spaces": _ask("姓名中间有多个空格。确认姓名是否为“{suggestion}”"),
    "name-digits": _ask("姓名中有数字。请确认姓名"),
    "name-brackets": _ask("姓名中带有括号说明。请只填姓名，说明写到备注列"),
    "name-length": _ask("姓名长度不寻常。请确认姓名是否完整"),
    "name-form": _ask("姓名中有标点或符号。请确认姓名"),
    # dates
    "date-form": Sentence("看不懂这个日期。请写成 2012-09-01 这样的形式"),
    "date-invalid": Sentence("日历上没有这一天。请核对年、月、日"),
    "date-day": _ask("缺少日。请补全为年、月、日"),
    "date-month": _ask("缺少月和日。请补全为年、月、日"),
    "date-century": _ask("年份只写了两位。请写出四位年份，例如 2012"),
    "date-order": _ask("年月日的顺序不明。请写成 2012-09-01 这样的形式"),
    "date-time": Sentence("是带钟点的日期，不像手工填写的日期。请只填年、月、日"),
    "date-range": Sentence("日期超出合理范围。请核对年份"),
    "date-serial": Sentence("是表格软件不能表示的日期。请把该格设为文本后重新填写"),
    "month-form": Sentence("看不懂这个年月。请写成 2012-09 这样的形式"),
    "month-zero": _ask("可能是 1 月，也可能是 10 月：表格软件抹去了末尾的 0。请写成 2012-10 这样的形式"),
    # schooling
    "grade-form": _ask("看不懂这个年级。请写成“三年级”“七年级”“高一”“大班”这样的形式"),
    "grade-stage": _ask("不知道是哪个学段的年级。请写成“三年级”“七年级”“高一”这样的形式"),
    "grade-year": _ask("是入学年份，还需要学段才能推算年级。请写成“三年级”“七年级”这样的形式"),
    "grade-outside": Sentence("按入学年份推算，已不在这个学段。请核对年级"),
    "class-form": _ask("看不懂这个班级。请写成“1班”“三年级2班”这样的形式"),
    # yes and no, phones, cards, amounts, codes
    "flag-form": _ask("看不懂是“是”还是“否”。请填“是”或“否”"),
    "phone-form": Sentence("不是有效的电话号码。手机号应为 11 位，座机请带区号"),
    "phone-masked": Sentence("电话号码被星号遮住，不能使用。请填写完整号码"),
    "card-damaged": Sentence("卡号后几位已被表格软件抹去，无法恢复（数字超过 15 位）。请把该列设为文本后重填"),
    "card-masked": Sentence("卡号被星号遮住，不能使用。请填写完整卡号"),
    "card-form": Sentence("卡号中有不应有的字符。请对照银行卡或存折重填"),
    "card-length": _ask("卡号是 {length} 位，常见的是 16 至 19 位。请对照银行卡核对"),
    "card-luhn": _ask("卡号校验不通过，可能有一位写错。请对照银行卡核对"),
    "amount-form": Sentence("不是金额。请只填数字，单位与表头一致"),
    "amount-rate": _ask("金额带有“每学期”“每月”等说明。请填写本次的金额数字"),
    "amount-scale": Sentence("金额精确到了分以下。请核对，最多保留两位小数"),
    "amount-negative": Sentence("是负数。只有冲销名单可以填负数，请核对金额"),
    "amount-unit": _ask("金额的单位与表头不一致。请确认是元还是万元"),
    "number-form": Sentence("不是整数。请只填数字"),
    "code-unknown": _ask("“{table}”中没有这一项。请从下拉列表中选择"),
    "code-several": _ask("“{table}”中有几项都与此相近：{candidates}。请选择其中一项"),
    "region-form": Sentence("不是行政区划代码。代码应为 6 位、9 位或 12 位数字"),
}

NOTES: dict[str, str] = {
    "tidied": "已去掉多余的空格和看不见的字符",
    "cell-filled": "合并单元格，已按其内容逐行填入",
    "word-known": "按本单位以前更正过的写法理解",
    "half-width": "全角字符已转为半角",
    "upper-case": "字母已转为大写",
    "unquoted": "已去掉文本前的撇号或等号",
    "from-number": "由数字格转为文本",
    "name-dot": "间隔号已统一为“·”",
    "name-space": "姓名中的空格已去掉",
    "name-form": "异形字符已统一",
    "date-form": "日期已统一写法",
    "date-number": "由表格软件的日期序号换算",
    "month-start": "只有年月，按当月处理",
    "grade-form": "年级已统一写法",
    "grade-year": "由入学年份推算",
    "class-form": "班级已统一写法",
    "flag-form": "已转为“是”或“否”",
    "phone-form": "电话号码已统一写法",
    "phone-several": "填有几个号码，都已保留",
    "phone-local": "座机号码没有区号",
    "none-said": "写明没有，按空白处理",
    "card-form": "卡号中的空格已去掉",
    "amount-form": "金额已统一写法",
    "amount-unit": "万元已换算为元",
    "amount-words": "由大写金额转为数字",
    "code-form": "已转为标准名称",
}
