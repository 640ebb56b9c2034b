"""A township's list on its way through the pages: approval, notice, bank file, a return with three failures, re-issue."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from eduaid.core.models import AccessRecord
from subsidies.models import AidBatch, Award, PublicNotice
from tests.small_county import SmallCounty, workbook
from tests.subsidies.money import approved, card, draft, payable


def said(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def post(client: Client, url: str, **given: Any) -> Any:
    return client.post(url, given, follow=True)


def test_from_the_township_to_the_second_payment(county: SmallCounty) -> None:
    batch = draft(county, 10)
    url = f"/aid/batches/{batch.pk}/"
    town, officer = county.client("town-a"), county.client("county")
    assert "相差 500.00 元" in said(post(town, f"{url}submit/", heads="10", amount="4500"))
    assert "已提交审核" in said(post(town, f"{url}submit/", heads="10", amount="5,000.00"))
    assert town.post(f"{url}approve/").status_code == 403
    post(officer, f"{url}approve/")
    assert "期满自动撤下" in said(post(officer, f"{url}notice/", contact="0797-1234567", days="5"))
    notice = PublicNotice.objects.get()
    with time_machine.travel(f"{notice.ends_on:%Y-%m-%d} 20:00+00:00"):
        officer, town = county.client("county"), county.client("town-a")
        assert "已生成" in said(post(officer, f"{url}export/", bank="示例农商行"))
        file = AidBatch.objects.get().files.get()
        data = officer.get(f"/aid/files/{file.pk}/").content
        rows = list(openpyxl.load_workbook(io.BytesIO(data)).active.iter_rows(values_only=True))
        header = next(number for number, row in enumerate(rows) if row[0] == "序号")
        body = [list(row) for row in rows[header + 1 :]]
        assert len(body) == 10
        assert body[0][2] == card(batch.awards.order_by("pk")[0].student_id)
        for number, row in enumerate(body):
            row[7], row[8] = ("失败", "户名不符") if number < 3 else ("成功", None)
        answer = workbook({"回盘": [list(rows[header]), *body]})
        back = officer.post(
            f"/aid/files/{file.pk}/return/", {"file": SimpleUploadedFile("回盘.xlsx", answer)}, follow=True
        )
        assert "成功 7 笔，失败 3 笔" in said(back)
        assert [row.name for row in back.context["rows"]] == ["学生a0", "学生a1", "学生a2"]
        failed = Award.objects.filter(state="failed").order_by("pk")[0]
        fixed = post(town, f"/aid/awards/{failed.pk}/account/", bank="示例农商行", holder="李四", card=card(12345))
        assert "收款账户已改正" in said(fixed)
        assert card(12345) not in fixed.content.decode()
        post(officer, f"{url}export/", bank="示例农商行")
        assert list(AidBatch.objects.get().files.values_list("heads", flat=True)) == [10, 1]
        assert AccessRecord.objects.filter(subject_kind="payment-file", rows=10).count() == 1


def test_a_damaged_return_names_its_rows_and_leaves_nothing(county: SmallCounty) -> None:
    from subsidies import payments

    batch = payable(county, 2)
    file = payments.export(batch, bank="示例农商行", by=county.user("county"))
    data = workbook({"回盘": [["序号", "处理结果", "失败原因"], [1, "成功", None], [2, "不详", None]]})
    back = county.client("county").post(
        f"/aid/files/{file.pk}/return/", {"file": SimpleUploadedFile("回盘.xlsx", data)}, follow=True
    )
    assert "工作表“回盘”第 3 行“处理结果”应填“成功”或“失败”" in said(back)
    assert set(Award.objects.values_list("state", flat=True)) == {"sent"}


def test_what_lies_outside_the_scope_is_not_found(county: SmallCounty) -> None:
    batch = approved(county, 1)
    award = batch.awards.get()
    stranger = county.client("town-b")
    assert stranger.get(f"/aid/batches/{batch.pk}/").status_code == 404
    assert stranger.get(f"/aid/awards/{award.pk}/").status_code == 404
    assert stranger.post(f"/aid/awards/{award.pk}/account/").status_code == 404
    assert batch.pk not in [row.title for row in stranger.get("/aid/batches/").context["rows"]]
    assert county.client("town-a").get(f"/aid/batches/{batch.pk}/").status_code == 200
    assert county.client("teacher").get("/aid/batches/").status_code == 403


def test_pages_show_no_card_number(county: SmallCounty) -> None:
    batch = approved(county, 2)
    award = batch.awards.order_by("pk")[0]
    for address in (f"/aid/batches/{batch.pk}/", f"/aid/awards/{award.pk}/"):
        page = county.client("county").get(address).content.decode()
        assert card(award.student_id) not in page
        assert award.card_last4 in page


def test_an_auditor_reaches_the_proof_of_a_payment_in_three_clicks(county: SmallCounty) -> None:
    """The ledger of batches → the batch → the award: its approval, its file, the bank's answer, its entries."""
    from subsidies import payments
    from subsidies.payments import Answer

    batch = payable(county, 1)
    file = payments.export(batch, bank="示例农商行", by=county.user("county"))
    payments.record_return(file, [Answer(1, True)], by=county.user("county"))
    auditor = county.client("auditor")
    first = auditor.get("/aid/batches/").context["rows"][0].url
    second = auditor.get(first).context["rows"][0].url
    page = auditor.get(second).content.decode()
    for proof in (file.mark, "审核通过", "交银行", "发放成功"):
        assert proof in page


def test_a_notice_is_public_while_it_runs_and_gone_afterwards(county: SmallCounty) -> None:
    from subsidies import notices

    batch = approved(county, 2)
    notice = notices.publish(batch, by=county.user("county"), contact="0797-1234567")
    everybody = Client()
    page = everybody.get(f"/notice/{notice.address}/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "学生a0" in text
    assert batch.awards.all()[0].card_last4 not in text
    assert "500" not in text
    assert everybody.get("/notice/wrong/").status_code == 404
    assert everybody.get(f"/aid/notices/{notice.pk}/proof/").status_code == 302
    with time_machine.travel(f"{notice.ends_on:%Y-%m-%d} 20:00+00:00"):
        assert everybody.get(f"/notice/{notice.address}/").status_code == 404
        proof = county.client("auditor").get(f"/aid/notices/{notice.pk}/proof/")
        assert "学生a0" in proof.content.decode()


@pytest.mark.parametrize("rows", [1, 3])
def test_the_number_of_queries_does_not_grow_with_the_rows(
    county: SmallCounty, rows: int, django_assert_max_num_queries: Any
) -> None:
    batch = approved(county, rows)
    client = county.client("county")
    client.get(f"/aid/batches/{batch.pk}/")
    with django_assert_max_num_queries(24):
        assert len(client.get(f"/aid/batches/{batch.pk}/").context["rows"]) == rows
