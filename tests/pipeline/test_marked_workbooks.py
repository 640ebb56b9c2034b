"""The sender's own workbook, marked, put right and dropped back: only what changed is merged, nothing goes silently."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from eduaid.core import column_memory, editing, intake, marked, merging, returned, uploads
from eduaid.core.models import AccessRecord, CellEdit, Finding, ReturnedFile, Upload, UploadRow
from eduaid.core.sealing import Opener
from eduaid.core.uploads import NotPossible
from tests.pipeline.test_lists_in_force import LI, PUPIL_LI, PUPIL_WANG
from tests.small_county import SmallCounty, id_number, table, workbook

BROKEN = LI["身份证号"][:-1] + ("1" if LI["身份证号"][-1] != "1" else "2")
KEY = "行标识（请勿改动）"
Book = Any


def send(county: SmallCounty, *more: dict[str, object]) -> Upload:
    rows: list[dict[str, object]] = [{**PUPIL_LI, "身份证号": BROKEN}, {**PUPIL_WANG}, *more]
    return county.send("class-roster", rows, place="a", by="town-a")


def taken(upload: Upload) -> bytes:
    return marked.workbook(upload.files.get())


def changed(data: bytes, change: Callable[[Book], None]) -> bytes:
    """What another spreadsheet program would write: openpyxl knows nothing of what we added."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def give_back(county: SmallCounty, upload: Upload, data: bytes, **decisions: bool) -> returned.Plan:
    came = merging.keep(upload, [("改好的表.xlsx", data)], by=county.user("town-a"))
    plan = merging.merge(upload, came, by=county.user("town-a"), **decisions)
    upload.refresh_from_db()
    return plan


def cells_of(sheet: Any) -> dict[str, Any]:
    return {cell.coordinate: cell for row in sheet.iter_rows() for cell in row}


def test_wrong_cells_are_filled_and_explained_and_good_rows_are_left_alone(county: SmallCounty) -> None:
    book = openpyxl.load_workbook(io.BytesIO(taken(send(county))))
    assert book.sheetnames == ["错误清单", "Sheet1"]
    cells = cells_of(book["Sheet1"])
    assert cells["E2"].value == BROKEN
    assert cells["E2"].fill.fgColor.rgb == "FFFFFF00"
    assert cells["E2"].number_format == "@"
    assert cells["E2"].comment.text.startswith(f"第 2 行『身份证件号』现为“{BROKEN}”，证件号校验不通过")
    assert [cells[f"{column}3"].fill.fill_type for column in "ABCDEF"] == [None] * 6
    assert cells["E3"].value == PUPIL_WANG["身份证号"]
    assert cells["G1"].value == KEY
    assert book["Sheet1"].column_dimensions["G"].hidden


def test_the_list_of_problems_links_to_the_cells_and_can_be_filtered(county: SmallCounty) -> None:
    front = openpyxl.load_workbook(io.BytesIO(taken(send(county))))["错误清单"]
    assert front["A1"].value == "错误清单：1 处须改"
    assert [cell.value for cell in front[4]] == ["序号", "工作表", "行", "列", "现在的内容", "问题", "怎样改", "级别"]
    assert [cell.value for cell in front[5]][:5] == ["1", "Sheet1", "2", "身份证件号", BROKEN]
    assert front["C5"].hyperlink.location == "'Sheet1'!E2"
    assert front.auto_filter.ref == "A4:H5"


def test_keys_say_nothing_and_open_only_here(county: SmallCounty) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(taken(send(county))))["Sheet1"]
    keys = [sheet["G2"].value, sheet["G3"].value]
    assert keys[0][:12] != keys[1][:12]
    assert not any(part in key for key in keys for part in (BROKEN, PUPIL_WANG["身份证号"]))
    from eduaid.core.row_keys import opened

    assert [key.row if key else None for key in opened([*keys, "EA-" + "A" * 26, keys[0][:-1] + "A"])][:3] == [
        *UploadRow.objects.order_by("number").values_list("pk", flat=True),
        None,
    ]


def test_a_corrected_cell_comes_back_as_an_edit_and_other_rows_are_not_touched(county: SmallCounty) -> None:
    upload = send(county)
    untouched = UploadRow.objects.get(number=3)
    data = changed(taken(upload), lambda book: book["Sheet1"].__setitem__("E2", LI["身份证号"]))
    plan = give_back(county, upload, data)
    assert [(change.number, change.column, change.was, change.now) for change in plan.changes] == [
        (2, "id_number", BROKEN, LI["身份证号"])
    ]
    assert (plan.new, plan.gone, plan.unchanged) == ([], [], 1)
    edit = CellEdit.objects.get()
    assert (edit.row.number, edit.column, edit.by.username) == (2, "id_number", "town-a")
    assert (upload.rows_accepted, upload.rows_waiting, upload.rows_added) == (2, 0, 2)
    row = UploadRow.objects.get(number=2)
    assert intake.delivered(row, Opener())["id_number"] == LI["身份证号"]
    assert bytes(UploadRow.objects.get(pk=untouched.pk).digest) == bytes(untouched.digest)
    kept = ReturnedFile.objects.get()
    assert (kept.cells_changed, kept.rows_changed, kept.rows_added, kept.rows_withdrawn) == (1, 1, 0, 0)


def test_dropped_back_as_it_is_nothing_changes(county: SmallCounty) -> None:
    upload = send(county)
    plan = give_back(county, upload, taken(upload))
    assert (plan.changes, plan.new, plan.gone, plan.unchanged) == ([], [], [], 2)
    assert not CellEdit.objects.exists()


def test_a_marked_workbook_shows_corrections_made_on_the_page_and_gives_none_of_them_back(county: SmallCounty) -> None:
    upload = send(county)
    before = taken(upload)
    row = UploadRow.objects.get(number=2)
    editing.edit_cell(row, column="id_number", text=LI["身份证号"], by=county.user("town-a"))
    after = openpyxl.load_workbook(io.BytesIO(taken(upload)))
    assert after["Sheet1"]["E2"].value == LI["身份证号"]
    assert after["错误清单"]["A1"].value == "错误清单：0 处须改"
    # The older workbook still holds the wrong number: it was not typed there, so it takes nothing back.
    assert give_back(county, upload, before).changes == []
    data = changed(before, lambda book: book["Sheet1"].__setitem__("E2", id_number("20150503", 14)))
    plan = give_back(county, upload, data)
    assert plan.changes == []
    assert [change.number for change in plan.overtaken] == [2]
    assert intake.delivered(UploadRow.objects.get(pk=row.pk), Opener())["id_number"] == LI["身份证号"]


def test_rows_that_are_new_or_gone_are_told_and_wait_for_an_answer(county: SmallCounty) -> None:
    upload = send(county)

    def change(book: Book) -> None:
        sheet = book["Sheet1"]
        sheet.delete_rows(3)
        sheet.append(["蔡朱小学", "五年级", "1班", "赵小满", id_number("20150905", 22), "否"])

    data = changed(taken(upload), change)
    plan = give_back(county, upload, data)
    assert [(row.number, row.cells["name"]) for row in plan.new] == [(3, "赵小满")]
    assert [row.number for row in plan.gone] == [3]
    assert (upload.rows_read, upload.rows_accepted, upload.rows_waiting) == (2, 1, 1)
    plan = give_back(county, upload, data + b"", take_new=True, drop_gone=True)
    assert (upload.rows_read, upload.rows_accepted, upload.rows_waiting, upload.rows_refused) == (3, 1, 1, 1)
    assert Finding.objects.get(code="row-withdrawn").number == 3
    added = UploadRow.objects.get(number=4)
    assert (added.facts["name"], added.state) == ("赵小满", "A")
    # The new row is part of the workbook from now on, and a second time nothing is new.
    again = taken(upload)
    assert openpyxl.load_workbook(io.BytesIO(again))["Sheet1"]["D4"].value == "赵小满"
    plan = give_back(county, upload, again)
    assert (plan.changes, plan.new, plan.gone) == ([], [], [])


def test_a_new_row_with_a_number_of_the_list_is_no_second_person(county: SmallCounty) -> None:
    upload = send(county)
    data = changed(
        taken(upload),
        lambda book: book["Sheet1"].append(["蔡朱小学", "五年级", "1班", "王大伟", PUPIL_WANG["身份证号"], "否"]),
    )
    give_back(county, upload, data, take_new=True)
    # As when both had come at once: which of the two is right, the sender says.
    told = Finding.objects.filter(code="row-contradicts").order_by("number").values_list("number", "params")
    assert list(told) == [(3, {"other": 4}), (4, {"other": 3})]
    assert (upload.rows_accepted, upload.rows_waiting) == (0, 3)


def test_a_number_typed_twice_makes_both_rows_wait_until_one_is_struck_out(county: SmallCounty) -> None:
    upload = send(county)
    same = changed(taken(upload), lambda book: book["Sheet1"].__setitem__("E2", PUPIL_WANG["身份证号"]))
    give_back(county, upload, same)
    assert list(Finding.objects.filter(code="row-contradicts").order_by("number").values_list("number", "params")) == [
        (2, {"other": 3}),
        (3, {"other": 2}),
    ]
    assert (upload.rows_accepted, upload.rows_waiting) == (0, 2)
    give_back(county, upload, changed(taken(upload), lambda book: book["Sheet1"].delete_rows(2)), drop_gone=True)
    assert not Finding.objects.filter(code="row-contradicts").exists()
    assert (upload.rows_accepted, upload.rows_waiting, upload.rows_refused, upload.rows_added) == (1, 0, 1, 1)


def test_the_same_row_typed_once_more_counts_once(county: SmallCounty) -> None:
    upload = send(county)

    def copy(book: Book) -> None:
        sheet = book["Sheet1"]
        sheet.append([cell.value for cell in sheet[3]][:6])

    give_back(county, upload, changed(taken(upload), copy), take_new=True)
    assert Finding.objects.get(number=4).code == "row-repeated"
    assert (upload.rows_read, upload.rows_accepted, upload.rows_added) == (3, 1, 1)


def test_a_copied_row_is_a_new_row(county: SmallCounty) -> None:
    upload = send(county)

    def change(book: Book) -> None:
        sheet = book["Sheet1"]
        copied = [cell.value for cell in sheet[3]]
        copied[3], copied[4] = "赵小满", id_number("20150905", 22)
        sheet.append(copied)

    plan = give_back(county, upload, changed(taken(upload), change))
    assert [(row.number, row.is_copy) for row in plan.new] == [(4, True)]
    assert (plan.changes, plan.gone) == ([], [])


def test_sorted_rows_are_known_again_even_where_the_keys_stayed_behind(county: SmallCounty) -> None:
    upload = send(county)

    def change(book: Book) -> None:
        sheet = book["Sheet1"]
        for column in "ABCDEF":
            above, below = sheet[f"{column}2"].value, sheet[f"{column}3"].value
            sheet[f"{column}2"], sheet[f"{column}3"] = below, above

    plan = give_back(county, upload, changed(taken(upload), change))
    assert (plan.changes, plan.new, plan.gone, plan.unchanged) == ([], [], [], 2)


def test_a_number_that_the_program_spoilt_is_not_taken_over(county: SmallCounty) -> None:
    upload = send(county)
    data = changed(
        taken(upload), lambda book: book["Sheet1"].__setitem__("E3", float(PUPIL_WANG["身份证号"][:17] + "0"))
    )
    plan = give_back(county, upload, data)
    assert plan.changes == []
    assert [(change.number, change.column) for change in plan.damaged] == [(3, "id_number")]


def test_a_workbook_of_another_list_is_refused(county: SmallCounty) -> None:
    upload = send(county)
    other = county.send("class-roster", [PUPIL_WANG], place="primary_a", by="school-a")
    with pytest.raises(returned.NotReturned, match="另一份名单"):
        returned.compare(upload, [("别的.xlsx", taken(other))])
    with pytest.raises(returned.NotReturned, match="没有找到行标识列"):
        returned.compare(upload, [("别的.xlsx", workbook({"Sheet1": table([PUPIL_WANG])}))])


def test_dropped_on_the_upload_page_it_finds_its_list(county: SmallCounty) -> None:
    upload = send(county)
    data = changed(taken(upload), lambda book: book["Sheet1"].__setitem__("E2", LI["身份证号"]))
    form = {"kind": "class-roster", "scope": "990121001", "effective_on": "2026-09-10", "mode": "complete"}
    client = county.client("town-a")
    response = client.post("/imports/new/", form | {"files": SimpleUploadedFile("改好.xlsx", data)}, follow=True)
    assert response.redirect_chain == [(f"/imports/{upload.pk}/", 302)]
    assert "已合并 1 格（1 行）。" in response.content.decode()
    assert Upload.objects.count() == 1


def test_only_the_sender_takes_the_marked_workbook_and_it_is_logged(county: SmallCounty) -> None:
    upload = send(county)
    path = f"/imports/{upload.pk}/marked/0/"
    assert f'href="{path}"' in county.client("town-a").get(f"/imports/{upload.pk}/").content.decode()
    assert path not in county.client("county").get(f"/imports/{upload.pk}/").content.decode()
    assert county.client("county").get(path).status_code == 403
    assert county.client("town-b").get(path).status_code == 404
    response = county.client("town-a").get(path)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    record = AccessRecord.objects.get(purpose="下载自己上传的原表（标错）")
    assert (record.user.username, record.rows) == ("town-a", 2)


def test_the_page_asks_about_new_and_missing_rows_without_numbers_in_full(county: SmallCounty) -> None:
    upload = send(county)

    def change(book: Book) -> None:
        sheet = book["Sheet1"]
        sheet["E2"] = LI["身份证号"]
        sheet.delete_rows(3)
        sheet.append(["蔡朱小学", "五年级", "1班", "赵小满", id_number("20150905", 22), "否"])

    data = changed(taken(upload), change)
    client = county.client("town-a")
    path = f"/imports/{upload.pk}/returned/"
    response = client.post(path, {"files": SimpleUploadedFile("改好.xlsx", data)}, follow=True)
    page = response.content.decode()
    assert "改好的表：1 格改动，新增 1 行，删去 1 行" in page
    assert "990121************" in page
    assert not any(number in page for number in (BROKEN, LI["身份证号"], id_number("20150905", 22)))
    assert not CellEdit.objects.exists()
    response = client.post(response.redirect_chain[-1][0], {"new": "take", "gone": "keep"}, follow=True)
    assert "已合并 1 格（1 行）；新增 1 行；表中删去的 1 行仍保留。" in response.content.decode()
    upload.refresh_from_db()
    assert (upload.rows_read, upload.rows_accepted) == (3, 3)
    assert county.client("town-b").post(path, {}).status_code == 404


def test_after_a_merge_the_files_are_not_read_again(county: SmallCounty) -> None:
    """A row that was added stands in no file: reading them again would lose it."""
    upload = send(county)
    data = changed(
        taken(upload),
        lambda book: book["Sheet1"].append(["蔡朱小学", "五年级", "1班", "赵小满", id_number("20150905", 22), "否"]),
    )
    give_back(county, upload, data, take_new=True)
    assert not CellEdit.objects.exists()
    with pytest.raises(NotPossible, match="不能重新读取"):
        column_memory.forget(upload, by=county.user("town-a"))


def test_waiting_rows_of_a_list_in_force_are_put_right_and_others_are_not(county: SmallCounty) -> None:
    upload = county.take_force(send(county))

    def change(book: Book) -> None:
        sheet = book["Sheet1"]
        sheet["E2"], sheet["C3"] = LI["身份证号"], "9班"
        sheet.append(["蔡朱小学", "五年级", "1班", "赵小满", id_number("20150905", 22), "否"])

    plan = give_back(county, upload, changed(taken(upload), change), take_new=True)
    assert [(change.number, change.column) for change in plan.changes] == [(2, "id_number")]
    assert [(change.number, change.column) for change in plan.closed] == [(3, "class")]
    assert (upload.state, upload.rows_read, upload.rows_waiting) == ("in-force", 2, 1)
    assert uploads.ready_rows(upload).count() == 1


def test_a_submitted_list_takes_nothing_back(county: SmallCounty) -> None:
    upload = send(county)
    data = taken(upload)
    uploads.submit(upload, by=county.user("town-a"))
    with pytest.raises(NotPossible, match="不能这样操作"):
        merging.keep(upload, [("改好.xlsx", data)], by=county.user("town-a"))
    assert not ReturnedFile.objects.exists()


def test_a_cell_merged_over_rows_speaks_for_all_of_them_here_and_there(county: SmallCounty) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(PUPIL_LI))
    for row in (PUPIL_LI | {"身份证号": BROKEN}, PUPIL_WANG):
        sheet.append(list(row.values()))
    sheet.merge_cells("A2:A3")
    out = io.BytesIO()
    book.save(out)
    upload = county.send("class-roster", [], place="a", by="town-a", files=[("合并.xlsx", out.getvalue())])
    plan = give_back(county, upload, taken(upload))
    assert (plan.changes, plan.unchanged) == ([], 2)


def test_a_sheet_for_each_class_comes_back_sheet_by_sheet(county: SmallCounty) -> None:
    sheets: dict[str, list[list[object]]] = {
        "一班": table([PUPIL_LI | {"身份证号": BROKEN}]),
        "二班": table([PUPIL_WANG]),
        "说明": [["请核对"]],
    }
    upload = county.send("class-roster", [], place="a", by="town-a", files=[("两个班.xlsx", workbook(sheets))])
    data = taken(upload)
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert book.sheetnames == ["错误清单", "一班", "二班", "说明"]
    # What is said of no row is in the list of problems, too.
    assert "工作表“说明”没有找到表头，未读取" in {cell.value for cell in book["错误清单"]["F"]}

    def change(book: Book) -> None:
        book["一班"]["E2"] = LI["身份证号"]
        del book["二班"]

    plan = give_back(county, upload, changed(data, change))
    assert [change.now for change in plan.changes] == [LI["身份证号"]]
    assert [row.number for row in plan.gone] == [2]


def test_moved_columns_are_found_by_their_names_and_missing_ones_are_told(county: SmallCounty) -> None:
    upload = send(county)

    def change(book: Book) -> None:
        sheet = book["Sheet1"]
        sheet["E2"] = LI["身份证号"]
        sheet.delete_cols(6)
        sheet.move_range("A1:A3", cols=8)

    plan = give_back(county, upload, changed(taken(upload), change))
    assert [(change.column, change.now) for change in plan.changes] == [("id_number", LI["身份证号"])]
    assert plan.missing_columns == ["是否寄宿"]


def test_a_dropped_back_workbook_that_is_no_marked_one_is_a_list_of_its_own(county: SmallCounty) -> None:
    upload = send(county)
    data = taken(upload)
    county.client("town-a").post(f"/imports/{upload.pk}/cancel/", {})
    upload.refresh_from_db()
    assert upload.state == "cancelled"
    again = county.send("class-roster", [], place="a", by="town-a", files=[("标错.xlsx", data)])
    assert (again.rows_read, again.rows_waiting) == (2, 1)
    assert not Finding.objects.filter(upload=again, code="sheet-without-header").exists()
