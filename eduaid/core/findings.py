"""The sentences of findings: position + present value + what is wrong + what to do (docs/wording.md).

Cell problems have their sentences in `eduaid.core.text.sentences`; the rows', lists' and files' stand here.
"""

from __future__ import annotations

from collections import defaultdict

from eduaid.core.models import Finding
from eduaid.core.models.uploads import FindingLevel
from eduaid.core.text.results import Problem
from eduaid.core.text.sentences import NOTES, SENTENCES, Sentence

# What the directories of places answer; an answer by a person is possible where a suggestion can be confirmed.
PLACES: dict[str, Sentence] = {
    "school-several": Sentence("可能是几所学校：{candidates}。请写学校全称", asks=True),
    "school-close": Sentence("不在学校名录中，是否为“{suggestion}”？", asks=True),
    "school-unknown": Sentence("不在学校名录中。请核对校名，或请县局在“设置—学校”中登记"),
    "school-code-unknown": Sentence("学校标识码不在学校名录中。请核对标识码，或请县局登记该校"),
    "town-unknown": Sentence("不是本县的乡镇。请填写乡镇全称"),
    "village-unknown": Sentence("不是该乡镇的村。请填写村的全称"),
    "region-unknown": Sentence("看不出是哪个县或乡镇。请写明省、市、县、乡镇，或填行政区划代码"),
}
PLACE_NOTES = {"school-short": "已按学校名录补为全称"}

ROWS: dict[str, str] = {
    "required": "没有填写。请补填",
    "one-of-required": "{columns}都没有填写。请至少填写一项",
    "birth-not-of-id": "与身份证号中的出生日期（{of_id}）不一致。请改为{of_id}，或核对身份证号",
    "birth-epoch": "与身份证号中的出生日期（{of_id}）正好相差四年零一天，是表格的日期起点（1900 与 1904）不同造成的。请改为{of_id}",
    "id-zeros": "证件号末三位都是 0，可能已被表格软件抹去。请对照证件核对，确实如此请确认",
    "grade-not-of-school": "“{school}”在学校名录中没有“{grade}”所在的学段。请核对年级和学校",
    "sex-not-of-id": "与身份证号第 17 位所示性别（{of_id}）不一致。请改为“{of_id}”，或核对身份证号",
    "registry-not-of-id": "学籍号中的证件号与本行证件号不同。如曾更换证件号，属正常；否则请核对",
    "id-region-unknown": "前六位地区代码不在代码表中（撤并的县或补登记属正常）。请留意核对",
    "age-out-of-stage": "年龄 {age} 岁，与年级“{grade}”相差较大。请核对出生日期或年级",
    "age-out-of-range": "年龄 {age} 岁，不在本名单应有的范围（{low}—{high} 岁）。请核对出生日期",
    "born-after-list": "晚于名单日期。请核对出生日期",
    "row-repeated": "与第 {first} 行内容完全相同，只保留第 {first} 行",
    "row-contradicts": "与第 {other} 行是同一证件号，但内容不同。请核对后只保留正确的一行",
    "outside-scope": "“{place}”不在本次填报范围（{scope}）内，本行不收。请由所在乡镇或学校填报",
    "hukou-outside": "写的不是{place}的地址。确属本镇户籍请确认，否则请改正或删去本行",
    "no-place": "看不出属于哪个{what}。请补填",
    "held-elsewhere": "该生本学期已在“{school}”的名单中。确认转入后本行生效，原校名单中的记录让位",
    "id-name-differs": "证件号与库内一名学生相同，但姓名不同（库内姓{surname}，{length} 个字）。是同一人请确认，不是请核对证件号",
    "id-birth-differs": "证件号或学籍号与库内一名学生相同，但出生日期不同。请核对",
    "numbers-disagree": "证件号与学籍号分别对应库内两名学生。请核对号码",
    "name-birth-known": "姓名、出生日期与库内学生相同，证件号不同或缺失，疑似同一人。请确认是不是同一人，或补正证件号",
    "nobody-known": "生效的户籍、学籍、名册等名单里都没有这个人。请核对姓名和证件号；确有其人的，先由所在名单报送，再报本名单",
    "certificate-length": "残疾人证号有 {length} 位，应为 20 位（身份证号加类别、等级）。请对照残疾人证重填",
    "certificate-not-of-id": "残疾人证号的前 18 位与本行证件号不同。请对照残疾人证和身份证核对",
    "certificate-level": "与残疾人证号末位所示等级（{of_certificate}级）不一致。请对照残疾人证改正",
    "proof-after-list": "晚于名单日期。请改为开具证明或核实的那一天",
    "proof-of-last-year": "早于本学年，去年的证明不能证明今年在读。请取得 {since} 以后的证明",
    "proof-undescribed": "取证方式为“其他证明”，没有写明是什么证明。请在备注中写明",
    "needs-number": "没有可用的证件号和学籍号，无法认定是谁。请补填证件号，或选择“以证件号待更正入库”",
    "poverty-school-age-blank": "6—16 岁成员的“在校生状况”与“未上学原因”同时为空。请补填其中一项",
    "household-heads": "与第 {other} 行是同一户编号，都是户主。请核对户编号或与户主关系，确实如此请确认",
    "relation-missing": "与户主关系未填。请核对",
    "key-foreign": "行标识不是本范围名单的，认不出是哪一行。请重新下载预填模板，或清空行标识、把这一行写完整",
    "key-twice": "与第 {first} 行的行标识相同（复制的行）。新增的人请填写完整的证件号，多余的行请删去",
    "change-unknown": "“变动”一栏不是选项中的说法，按没有变动处理。请从下拉列表中选",
    "row-left-unknown": "“变动”填为“{change}”，但行标识不在，认不出是哪一行，不收。请在“上期有、本期无”中填写去向",
    "row-left": "“变动”填为“{change}”，本期不再列入，去向已记下",
    "row-withdrawn": "已在改好的表中删去，不收。如仍要收，请在网页上修改这一行的任意一格",
    "hidden-row": "是隐藏行，已计入。如不应计入，请在表格中删除后重新上传",
    # lists and files
    "list-same": "内容与 {date} 的名单 {upload} 号完全相同（文件不同）。不是有意重报的，请放弃本次导入",
    "sheet-hidden": "工作表“{sheet}”是隐藏的，已计入 {rows} 行。请确认计入，或选择不计入",
    "sheet-hidden-left": "工作表“{sheet}”是隐藏的，已按选择不计入",
    "rows-hidden": "工作表“{sheet}”含 {rows} 条隐藏行（{lines}），已全部计入。请确认计入，或选择不计入",
    "rows-hidden-left": "工作表“{sheet}”的 {rows} 条隐藏行（{lines}）已按选择不计入",
    "columns-hidden": "工作表“{sheet}”有 {count} 个隐藏列（{columns}），已计入。请确认计入，或选择不计入",
    "columns-hidden-left": "工作表“{sheet}”的 {count} 个隐藏列（{columns}）已按选择不计入",
    "columns-unknown": "工作表“{sheet}”有 {count} 列不属于本名单，未保存：{columns}",
    "columns-computed": "工作表“{sheet}”中有公式，已取文件里的计算结果：{columns}",
    "columns-alike": "工作表“{sheet}”中“{label}”不能确定是哪一列：{columns}。请在“列对应”中指明",
    "column-missing": "工作表“{sheet}”没有名为“{label}”的列，可能是：{columns}。请在“列对应”中指明，或补列后重新上传",
    "column-proposed": "工作表“{sheet}”的 {columns} 内容像{looks}，可能是“{label}”。请在“列对应”中指明",
    "header-found": "工作表“{sheet}”的表头在{lines}，数据从第 {next} 行起",
    "rows-not-data": "工作表“{sheet}”有 {count} 行不是数据，未计入：{which}",
    "cells-pictures": "工作表“{sheet}”有 {count} 个单元格里是图片，未读取",
    "file-macros": "文件“{file}”含有宏，只读取表格内容，宏没有运行，也不保存",
    "file-other-sheets": "文件“{file}”含有图表或宏表，不是数据表，未读取",
    "file-nul-bytes": "文件“{file}”含有空字符，已去掉",
    "total-differs": "工作表“{sheet}”第 {number} 行合计为 {printed} 人，实际 {counted} 行。请核对是否漏行",
    "amount-differs": "工作表“{sheet}”第 {number} 行“{header}”合计为 {printed}，以上各行相加为 {counted}，相差 {difference}。请核对是否漏行或填错",
    "sheet-without-header": "工作表“{sheet}”没有找到表头，未读取。表头应含：{expected}",
    "sheet-without-columns": "工作表“{sheet}”缺少{columns}列，未读取。如其中有名单，请补上该列后重新上传",
}


def sentence(code: str, params: dict[str, object], *, note: bool = False) -> str:
    """What is wrong and what to do, without position and value. `note`: some codes name a problem and the harmless change
    that a readable cell went through alike; the hint is about the change. A parameter that is missing is left blank."""
    filled = defaultdict(str, params)
    if note and code in NOTES:
        return NOTES[code].format_map(filled)
    if code in ROWS:
        return ROWS[code].format_map(filled)
    if code in PLACES:
        return PLACES[code].text.format_map(filled)
    if code in SENTENCES:
        return SENTENCES[code].text.format_map(filled)
    return (PLACE_NOTES.get(code) or NOTES[code]).format_map(filled)


def level_of(problem: Problem) -> FindingLevel:
    """Whether a cell that could not be read must be corrected, or a person may confirm what is proposed."""
    asks = PLACES[problem.code].asks if problem.code in PLACES else SENTENCES[problem.code].asks
    return FindingLevel.ASK if asks else FindingLevel.ERROR


def message(finding: Finding, *, label: str, value: str | None) -> str:
    """The whole sentence. `value`: what stands in the cell, masked by the caller where it is a number of a person; None
    leaves it out."""
    text = sentence(finding.code, finding.params, note=finding.level == FindingLevel.HINT)
    if finding.row_id is None and finding.number is None:
        return f"{text}。" if not text.endswith("。") else text
    place = f"第 {finding.number} 行"
    if label:
        place += f"『{label}』"
    if value is not None and finding.level in (FindingLevel.ERROR, FindingLevel.ASK):
        place += f"现为“{value}”，" if value else "为空，"
        if not value and finding.code == "required":
            return f"第 {finding.number} 行『{label}』{text}。"
    return f"{place}{text}。" if not text.endswith("。") else f"{place}{text}"
