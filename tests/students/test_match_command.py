"""`manage.py match`: files in, pairs out, no database and no services."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from django.core.management import CommandError, call_command

from eduaid.core.services import CHECKOUT
from tests.students.test_matching import CHILD, FILLERS, number

HEADER = ("姓名", "性别", "身份证号", "出生日期", "监护人", "电话", "乡镇")
KEYS = ("name", "sex", "id", "birth", "guardian", "phone", "town")
TITLES = ["left_list", "left_row", "right_list", "right_row", "answer", "score", "reason"]


def write_csv(
    path: Path, rows: list[dict[str, str]], header: tuple[str, ...] = HEADER, encoding: str = "utf-8-sig"
) -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows([row.get(key, "") for key in KEYS] for row in rows)
    return path


def pairs_in(path: Path) -> list[dict[str, str]]:
    text = path.read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(text.decode("utf-8-sig").splitlines()))


def test_it_runs_without_any_service_and_numbers_rows_as_the_files_do(tmp_path: Path) -> None:
    left = write_csv(tmp_path / "户籍.csv", [CHILD, *FILLERS])
    right = write_csv(tmp_path / "学籍.csv", [*FILLERS, CHILD], encoding="gb18030")
    environment = {**os.environ, "EDUAID_STATE": str(tmp_path / "nothing"), "DATABASE_URL": "", "REDIS_URL": ""}
    done = subprocess.run(
        [sys.executable, str(CHECKOUT / "manage.py"), "match", str(left), str(right), "-o", str(tmp_path / "pairs.csv")],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "A 与 B：配对 57 对，待核对 0 对；仅 A 有 0 人，仅 B 有 0 人" in done.stdout
    pairs = pairs_in(tmp_path / "pairs.csv")
    assert list(pairs[0]) == TITLES
    assert pairs[0] == {
        "left_list": "A", "left_row": "2", "right_list": "B", "right_row": "58", "answer": "matched", "score": "1.0",
        "reason": "姓名同、证件号同、出生同、监护人同、电话同、乡镇同。",
    }  # fmt: skip


def test_three_lists_give_pairs_of_every_two_and_no_number_in_the_reason(tmp_path: Path) -> None:
    wrong = CHILD["id"][:10] + ("9" if CHILD["id"][10] != "9" else "8") + CHILD["id"][11:]
    files = [
        write_csv(tmp_path / "a.csv", [CHILD, *FILLERS]),
        write_csv(tmp_path / "b.csv", [{**CHILD, "id": wrong}, *FILLERS]),
        write_csv(tmp_path / "c.csv", [{**CHILD, "id": number("20130506", 347)}, *FILLERS]),
    ]
    call_command("match", *map(str, files), "-o", str(tmp_path / "pairs.csv"))
    pairs = [pair for pair in pairs_in(tmp_path / "pairs.csv") if pair["left_row"] == "2"]
    assert [(pair["left_list"], pair["right_list"], pair["answer"]) for pair in pairs] == [
        ("A", "B", "matched"), ("A", "C", "review"), ("B", "C", "review"),
    ]  # fmt: skip
    assert "990311" not in (tmp_path / "pairs.csv").read_text("utf-8-sig")


def test_titles_above_the_header_footers_and_other_names_of_columns(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["示例县东山镇适龄儿童花名册"])
    sheet.append(["序号", "学生姓名", "公民身份号码", "出生年月日", "父亲姓名", "母亲姓名", "联系电话"])
    for place, row in enumerate([CHILD, *FILLERS], 1):
        sheet.append([place, row["name"], row["id"], row["birth"], row["guardian"], "", row["phone"]])
    sheet.append(["合计", "57人"])
    book.save(tmp_path / "b.xlsx")
    left = write_csv(tmp_path / "a.csv", [CHILD])
    call_command("match", str(left), str(tmp_path / "b.xlsx"), "-o", str(tmp_path / "pairs.csv"))
    assert [(pair["left_row"], pair["right_row"]) for pair in pairs_in(tmp_path / "pairs.csv")] == [("2", "3")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "找不到文件"),
        ("", "这是一个空文件"),
        ("序号,身份证号\n1,990311201305061218\n", "没有找到“姓名”列"),
        ("姓名,身份证号\n", "表头下面没有人员"),
    ],
)
def test_a_file_that_gives_no_list_is_refused_in_a_sentence(tmp_path: Path, content: str | None, sentence: str) -> None:
    good, bad = write_csv(tmp_path / "a.csv", [CHILD]), tmp_path / "b.csv"
    if content is not None:
        bad.write_text(content, "utf-8")
    with pytest.raises(CommandError, match=sentence):
        call_command("match", str(good), str(bad), "-o", str(tmp_path / "pairs.csv"))
    assert not (tmp_path / "pairs.csv").exists()


def test_one_list_is_not_enough(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="给了 1 个文件。请给出两个或三个名单文件"):
        call_command("match", str(write_csv(tmp_path / "a.csv", [CHILD])), "-o", str(tmp_path / "pairs.csv"))
