"""Evidence: recorded by one, looked at by another, counted only then; seen and opened by the side that answers for it."""

from __future__ import annotations

import datetime as dt
import io
import zlib

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from PIL import ExifTags, Image, PngImagePlugin

from dropout import actions, proof
from dropout.models import Evidence, EvidenceFile, Whereabouts
from dropout.models.evidence import EvidenceState
from dropout.pictures import FileRejected, cleaned
from dropout.proof import CannotRecord, NotPossible, Proof, Where
from eduaid.core import files
from eduaid.core.indicators import Basis, indicator_of
from eduaid.core.models import AccessRecord
from eduaid.core.scope import EVERYTHING, Scope, row_security
from eduaid.core.uploads import NotAllowed
from students.models import Student
from tests.small_county import SmallCounty, id_number

NOW = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)
PHONE = "13800990007"


def person(name: str, born: str, sequence: int, village: str = "水口镇东风村", household: str = "") -> dict[str, str]:
    number = id_number(born, sequence)
    return {
        "户号": household or f"H{sequence}",
        "户主姓名": f"{name[0]}大有",
        "姓名": name,
        "身份证号": number,
        "出生日期": f"{born[:4]}-{born[4:6]}-{born[6:]}",
        "户籍地址": f"示例县{village}",
    }


PEOPLE_A = [person("李小雨", "20150503", 12), person("王伟", "20140601", 11)]
PEOPLE_B = [person("赵一", "20160601", 21, "石洲乡船形村")]


def proof_of(**changes: object) -> Proof:
    said: dict[str, object] = {
        "where": Where("广东省", "深圳市", "宝安区", "西乡街道", "西乡小学", "25", "3班"),
        "kind": "E1",
        "proved_on": dt.date(2026, 11, 3),
        "contact": "刘老师",
        "phone": PHONE,
    }
    return Proof(**(said | changes))  # type: ignore[arg-type]


@pytest.fixture
def away(county: SmallCounty) -> SmallCounty:
    """Three children of the police list whom no school of the county names, in an open round."""
    with time_machine.travel(NOW, tick=False):
        county.bring("population", PEOPLE_A, place="a", by="town-a")
        county.bring("population", PEOPLE_B, place="b", by="town-b")
        actions.open_round(
            name="2026年秋季摸排",
            window="6-15",
            born_from=dt.date(2010, 9, 1),
            born_to=dt.date(2020, 8, 31),
            as_of=dt.date(2026, 11, 1),
            deadline=dt.date(2026, 12, 1),
            by=county.user("county"),
        )
        yield county


def child(name: str = "李小雨") -> Student:
    return Student.objects.get(name=name)


def whereabouts(name: str = "李小雨") -> Whereabouts:
    return Whereabouts.objects.get(student__name=name)


def photo(size: tuple[int, int] = (2000, 1500)) -> bytes:
    """A photograph as a phone writes it: where, when, by whom and on what, beside the pixels."""
    picture = Image.effect_noise(size, 90).convert("RGB")
    exif = Image.Exif()
    exif[ExifTags.Base.Make], exif[ExifTags.Base.Artist] = "PhoneMaker", "GPS-CANARY-ARTIST"
    exif[ExifTags.Base.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (25.0, 31.0, 12.5), 3: "E", 4: (114.0, 2.0, 9.25)})
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=95, exif=exif, comment=b"GPS-CANARY-COMMENT")
    return out.getvalue()


# --- recording and reviewing ------------------------------------------------------------------------------------


def test_a_proof_counts_only_when_another_person_has_accepted_it(away: SmallCounty) -> None:
    one = proof.record(child(), proof_of(), by=away.user("town-a"))
    assert (one.state, one.school_year, one.where) == ("recorded", 2026, "广东省深圳市宝安区西乡街道西乡小学五年级3班")
    assert (whereabouts().code, whereabouts().proof) == ("", "")
    proof.accept(one, by=away.user("county"))
    there = whereabouts()
    assert (there.code, there.place, there.proof) == ("A4", "O", "evidence")
    assert there.where_text == "广东省深圳市宝安区西乡街道西乡小学"
    assert "2026-11-03取证" in there.basis


def test_nobody_reviews_what_he_recorded_himself(away: SmallCounty) -> None:
    one = proof.record(child(), proof_of(), by=away.user("county"))
    with pytest.raises(NotAllowed, match="须由另一人审核"):
        proof.accept(one, by=away.user("county"))
    with pytest.raises(NotAllowed, match="控辍保学专干审核"):
        proof.accept(one, by=away.user("town-a"))
    with pytest.raises(IntegrityError, match="evidence_reviewed_by_another"), transaction.atomic():
        Evidence.objects.filter(pk=one.pk).update(state="accepted", reviewed_by=one.verified_by, reviewed_at=NOW)
    with pytest.raises(IntegrityError, match="evidence_reviewed_when_decided"), transaction.atomic():
        Evidence.objects.filter(pk=one.pk).update(state="accepted")


def test_what_is_returned_is_put_right_and_waits_again(away: SmallCounty) -> None:
    one = proof.record(child(), proof_of(), by=away.user("town-a"))
    with pytest.raises(CannotRecord, match="退回原因"):
        proof.send_back(one, reason="  ", by=away.user("county"))
    proof.send_back(one, reason="没有学校盖章", by=away.user("county"))
    one.refresh_from_db()
    assert (one.state, one.reason) == ("returned", "没有学校盖章")
    proof.correct(one, proof_of(kind="E2"), by=away.user("town-a"))
    one.refresh_from_db()
    assert (one.state, one.reason, one.kind, one.reviewed_by) == ("recorded", "", "E2", None)
    assert Evidence.objects.count() == 1


def test_an_accepted_proof_is_returned_by_the_bureau_and_counts_no_more(away: SmallCounty) -> None:
    one = proof.record(child(), proof_of(), by=away.user("town-a"))
    proof.accept(one, by=away.user("county"))
    with pytest.raises(NotPossible, match="已经审核通过"):
        proof.record(child(), proof_of(), by=away.user("town-a"))
    with pytest.raises(NotAllowed, match="专干撤回"):
        proof.withdraw(one, reason="登记错了人", by=away.user("town-a"))
    proof.send_back(one, reason="对方学校来电说已离校", by=away.user("county"))
    assert whereabouts().proof == ""


def test_withdrawn_makes_room_for_another_record(away: SmallCounty) -> None:
    one = proof.record(child(), proof_of(), by=away.user("town-a"))
    proof.withdraw(one, reason="登记错了人", by=away.user("town-a"))
    proof.record(child(), proof_of(), by=away.user("town-a"))
    assert sorted(Evidence.objects.values_list("state", flat=True)) == ["recorded", "withdrawn"]
    with pytest.raises(IntegrityError, match="evidence_once_a_year"), transaction.atomic():
        Evidence.objects.update(state="refused", reason="拒绝")


def test_who_refuses_is_noted_with_the_reason_and_reported(away: SmallCounty) -> None:
    with pytest.raises(CannotRecord, match="写明经过"):
        proof.give_up(child(), state=EvidenceState.REFUSED, reason="", by=away.user("town-a"))
    one = proof.give_up(
        child(), state=EvidenceState.REFUSED, reason="11月5日电话，父亲拒绝提供", by=away.user("town-a")
    )
    proof.report_to_town(one, office="水口镇人民政府", on=dt.date(2026, 11, 10), by=away.user("town-a"))
    one.refresh_from_db()
    assert (one.state, one.reported_to, one.reported_on) == ("refused", "水口镇人民政府", dt.date(2026, 11, 10))
    proof.record(child(), proof_of(), by=away.user("town-a"))
    one.refresh_from_db()
    assert (one.state, one.reason, one.reported_to) == ("recorded", "", "水口镇人民政府")
    with pytest.raises(NotPossible, match="拒不提供或无法联系"):
        proof.report_to_town(one, office="水口镇人民政府", on=dt.date(2026, 11, 11), by=away.user("town-a"))


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"where": Where("广东省", "深圳市", "宝安区", "", "", "25", "3班")}, "school", "请填写「学校」"),
        ({"where": Where("广东省", "深圳市", "宝安区", "", "西乡小学", "25", "")}, "class_name", "班级不清楚的"),
        ({"where": Where("广东省", "", "宝安区", "", "西乡小学", "99", "3班")}, "grade", "不在年级表中"),
        ({"kind": ""}, "kind", "不要求照片"),
        ({"kind": "E9"}, "note", "写明是什么证明"),
        ({"proved_on": None}, "proved_on", "请填写「证明日期」"),
        ({"proved_on": dt.date(2026, 11, 21)}, "proved_on", "晚于今天"),
        ({"proved_on": dt.date(2026, 3, 1)}, "proved_on", "去年的证明不能证明今年在读"),
        ({"phone": "123"}, "phone", "「联系电话」"),
    ],
)
def test_a_proof_that_lacks_something_is_asked_for_it(
    away: SmallCounty, change: dict[str, object], field: str, sentence: str
) -> None:
    with pytest.raises(CannotRecord, match=sentence) as caught:
        proof.record(child(), proof_of(**change), by=away.user("town-a"))
    assert caught.value.field == field
    assert not Evidence.objects.exists()


def test_other_townships_record_nothing_here(away: SmallCounty) -> None:
    with pytest.raises(NotAllowed, match="不在您的管理范围内"):
        proof.record(child(), proof_of(), by=away.user("town-b"))
    with pytest.raises(NotAllowed):
        proof.record(child(), proof_of(), by=away.user("auditor"))


# --- pictures ---------------------------------------------------------------------------------------------------


def test_nothing_that_the_camera_wrote_is_kept(away: SmallCounty) -> None:
    sent = photo()
    assert b"GPS-CANARY-ARTIST" in sent
    assert b"GPS-CANARY-COMMENT" in sent
    one = proof.record(child(), proof_of(), by=away.user("town-a"), pictures=[sent])
    kept = files.load(EvidenceFile.objects.get(evidence=one).stored_as)
    assert b"CANARY" not in kept
    assert b"PhoneMaker" not in kept
    assert b"Exif" not in kept
    assert len(kept) <= 300 * 1024
    with Image.open(io.BytesIO(kept)) as shown:
        assert shown.format == "JPEG"
        assert not shown.getexif()
        assert set(shown.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression"}
        assert max(shown.size) <= 1600
        assert shown.height > shown.width, "turned upright as the camera's note said"


def test_text_in_a_screenshot_is_left_behind_and_glass_becomes_white() -> None:
    picture = Image.new("RGBA", (400, 300), (0, 0, 0, 0))
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Location", "GPS-CANARY")
    out = io.BytesIO()
    picture.save(out, "PNG", pnginfo=notes)
    kept = cleaned(out.getvalue())
    assert kept.type == "image/jpeg"
    assert b"CANARY" not in kept.data
    with Image.open(io.BytesIO(kept.data)) as shown:
        assert shown.getpixel((10, 10)) == (255, 255, 255)


def pdf(inside: bytes = b"") -> bytes:
    return b"%PDF-1.4\n1 0 obj<</Type/Catalog" + inside + b">>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def packed(inside: bytes) -> bytes:
    return pdf()[:-6] + b"2 0 obj<</Filter/FlateDecode>>stream\n" + zlib.compress(inside) + b"\nendstream endobj\n%%EOF\n"  # fmt: skip


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "空的"),
        (b"not a picture at all", "不是能识别的图片"),
        (b"MZ\x90\0" * 100, "不是能识别的图片"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "不是能识别的图片"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 100, "HEIC"),
        (pdf(b"/OpenAction<</S/JavaScript/JS(app.alert(1))>>"), "会运行的内容"),
        (pdf(b"/OpenAction<</S/J#61vaScript/J#53(1)>>"), "会运行的内容"),
        (packed(b"<</S/Launch/F(cmd.exe)>>"), "会运行的内容"),
        (pdf(b"/Encrypt 5 0 R"), "设有密码"),
        (pdf()[:-6], "不完整"),
    ],
)
def test_what_is_no_proof_is_refused_with_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(FileRejected, match=sentence):
        cleaned(data)


def test_a_torn_picture_is_refused() -> None:
    with pytest.raises(FileRejected, match=r"已损坏|不是能识别"):
        cleaned(photo((900, 600))[:4000])


def test_a_quiet_pdf_is_kept_as_it_came() -> None:
    assert cleaned(pdf()).data == pdf()
    assert cleaned(packed(b"BT (hello) Tj ET")).type == "application/pdf"


def test_a_refused_picture_leaves_nothing_behind(away: SmallCounty) -> None:
    with pytest.raises(CannotRecord, match="不是能识别的图片") as caught:
        proof.record(child(), proof_of(), by=away.user("town-a"), pictures=[photo((600, 400)), b"nonsense"])
    assert caught.value.field == "pictures"
    assert not Evidence.objects.exists()
    assert not EvidenceFile.objects.exists()


# --- sealed and scoped ------------------------------------------------------------------------------------------


def test_the_phone_lies_sealed(away: SmallCounty) -> None:
    one = proof.record(child(), proof_of(), by=away.user("town-a"))
    assert one.phone_masked == "138****0007"
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(e)::text FROM dropout_evidence e")
        assert PHONE not in cursor.fetchone()[0]
        cursor.execute("SELECT row_to_json(e)::text FROM dropout_evidenceevent e")
        assert "phone_sealed" not in cursor.fetchone()[0]
    assert proof.phone_of(one) == PHONE


def test_files_are_seen_by_the_side_that_answers_only(away: SmallCounty) -> None:
    """A child of A who sits in a school of B: both see that there is a proof, A alone its file and phone."""
    away.bring(
        "class-roster",
        [
            {
                "学校名称": "石洲乡中心小学",
                "年级": "五年级",
                "班级": "1班",
                "姓名": "李小雨",
                "身份证号": PEOPLE_A[0]["身份证号"],
            }
        ],
        place="b",
        by="town-b",
    )
    one = proof.record(child(), proof_of(), by=away.user("town-a"), pictures=[photo((600, 400))])
    Evidence.objects.filter(pk=one.pk).update(school=None)
    kept = EvidenceFile.objects.get()
    with transaction.atomic(), row_security(Scope.of(away.user("town-b")), local=True):
        assert Evidence.objects.count() == 1
        assert EvidenceFile.objects.count() == 0
    with transaction.atomic(), row_security(Scope.of(away.user("town-a")), local=True):
        assert EvidenceFile.objects.count() == 1
    url = f"/evidence/{one.pk}/files/{kept.pk}/"
    assert away.client("town-b").get(url).status_code == 404
    assert away.client("town-b").post(f"/evidence/{one.pk}/phone/").status_code == 404
    page = away.client("town-b").get(f"/evidence/child/{child().public_id}/").content.decode()
    assert "138****0007" not in page
    assert url not in page
    answer = away.client("town-a").get(url)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    assert answer["Cache-Control"] == "no-store"
    with row_security(EVERYTHING, local=False):
        assert AccessRecord.objects.filter(subject_kind="evidence-file").count() == 1


def test_the_phone_is_shown_once_and_logged(away: SmallCounty) -> None:
    one = proof.record(child(), proof_of(), by=away.user("town-a"))
    client = away.client("town-a")
    path = f"/evidence/child/{child().public_id}/"
    assert PHONE not in client.get(path).content.decode()
    assert PHONE in client.post(f"/evidence/{one.pk}/phone/").content.decode()
    assert AccessRecord.objects.filter(action="reveal", subject_kind="evidence").count() == 1


def test_what_lies_beyond_the_scope_does_not_exist(away: SmallCounty) -> None:
    one = proof.record(child(), proof_of(), by=away.user("town-a"), pictures=[photo((600, 400))])
    kept = EvidenceFile.objects.get()
    public = child().public_id
    for name in ("town-b", "school-a", "teacher"):
        client = away.client(name)
        for path in (f"/evidence/child/{public}/", f"/evidence/child/{public}/record/", f"/evidence/{one.pk}/files/{kept.pk}/"):  # fmt: skip
            assert client.get(path).status_code == 404, (name, path)
        for path in (f"/evidence/{one.pk}/report/", f"/evidence/{one.pk}/withdraw/", f"/evidence/child/{public}/without/"):  # fmt: skip
            assert client.post(path).status_code == 404, (name, path)
        for path in (f"/evidence/{one.pk}/accept/", f"/evidence/{one.pk}/return/", "/spotcheck/", "/evidence/letters/"):
            assert client.post(path).status_code == 403, (name, path)
        assert client.get("/evidence/list/").context["rows"] == []
    assert away.client("sysadmin").get("/evidence/list/").status_code == 403
    assert len(away.client("county").get("/evidence/list/").context["rows"]) == 1


# --- pages ------------------------------------------------------------------------------------------------------


def test_recording_on_a_phone_without_script(away: SmallCounty) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    client, path = away.client("town-a"), f"/evidence/child/{child().public_id}/record/"
    page = client.get(path).content.decode()
    assert 'capture="environment"' in page
    filled = {
        "province": "广东省", "city": "深圳市", "county": "宝安区", "town": "", "school": "西乡小学", "grade": "25", "class_name": "3班",
        "kind": "E3", "proved_on": "2026.11.3", "contact": "", "phone": PHONE, "note": "",
        "photo": SimpleUploadedFile("362331201505030012.jpg", photo((800, 600))),
    }  # fmt: skip
    assert client.post(path, filled).status_code == 302
    one = Evidence.objects.get()
    assert (one.state, one.proved_on, one.files.count()) == ("recorded", dt.date(2026, 11, 3), 1)
    again = client.get(path)
    assert again.context["form"].initial["school"] == "西乡小学"
    assert PHONE not in again.content.decode()
    wrong = client.post(path, filled | {"kind": "", "photo": SimpleUploadedFile("x.jpg", b"no picture")})
    assert "请选择「取证方式」" in wrong.content.decode()
    wrong = client.post(path, filled | {"photo": SimpleUploadedFile("x.jpg", b"no picture")})
    assert "这不是能识别的图片" in wrong.content.decode()
    assert "<title>错误:" in wrong.content.decode()


def test_the_review_leads_from_one_to_the_next_until_nothing_waits(away: SmallCounty) -> None:
    first = proof.record(child("李小雨"), proof_of(), by=away.user("town-a"), pictures=[photo((800, 600))])
    second = proof.record(child("赵一"), proof_of(), by=away.user("town-b"))
    own = proof.record(child("王伟"), proof_of(), by=away.user("county"))
    client = away.client("county")
    page = client.get("/evidence/")
    assert page.context["one"] == first
    assert f"/evidence/{first.pk}/files/" in page.content.decode()
    assert client.get(f"/evidence/?after={first.pk}").context["one"] == second
    assert client.post(f"/evidence/{first.pk}/accept/").url == "/evidence/"
    assert client.get("/evidence/").context["one"] == second
    asked = client.post(f"/evidence/{second.pk}/return/", {"reason": ""})
    assert "请填写「退回原因」" in asked.content.decode()
    client.post(f"/evidence/{second.pk}/return/", {"reason": "图片看不清"})
    last = client.get("/evidence/")
    assert last.context["one"] is None
    assert "都是您自己登记的" in last.content.decode()
    proof.withdraw(own, reason="登记错了人", by=away.user("county"))
    assert "无待审 ✓" in client.get("/evidence/").content.decode()
    assert away.client("town-a").get("/evidence/").url == "/evidence/list/"


def test_the_ledger_costs_the_same_for_one_and_for_many(away: SmallCounty) -> None:
    from django.db import connection as database
    from django.test.utils import CaptureQueriesContext

    client = away.client("county")

    def queries() -> int:
        with CaptureQueriesContext(database) as seen:
            client.get("/evidence/list/")
        return len(seen)

    proof.record(child("李小雨"), proof_of(), by=away.user("town-a"))
    queries()
    one = queries()
    proof.record(child("王伟"), proof_of(), by=away.user("town-a"))
    proof.record(child("赵一"), proof_of(), by=away.user("town-b"))
    assert queries() == one


def test_the_figures_add_up_to_the_last_child(away: SmallCounty) -> None:
    proof.accept(proof.record(child("李小雨"), proof_of(), by=away.user("town-a")), by=away.user("county"))
    basis = Basis(away.home, dt.date(2026, 11, 20))
    value = {key: indicator_of(f"evidence.away{key}").value(basis, EVERYTHING) for key in ("", ".proved", ".unproved")}
    assert value == {"": 1, ".proved": 1, ".unproved": 0}


def test_a_letter_is_numbered_masked_unless_asked_and_logged(away: SmallCounty) -> None:
    from docx import Document

    from dropout import inquiries
    from dropout.models import InquiryLetter

    officer = away.user("county")
    for name, by in (("李小雨", "town-a"), ("王伟", "town-a")):
        proof.record(child(name), proof_of(), by=away.user(by))
    client = away.client("county")
    place = inquiries.place_of(Evidence.objects.first())
    assert place == "广东省深圳市宝安区"
    filled = {"place": place, "to_office": "宝安区教育局", "reply_by": "2026-12-05"}
    one = Evidence.objects.get(student__name="李小雨")
    assert client.post("/evidence/letters/new/", filled | {"child": [one.pk]}).status_code == 302
    assert client.post("/evidence/letters/new/", filled | {"full_numbers": "on"}).status_code == 302
    masked, full = InquiryLetter.objects.order_by("number")
    assert [str(masked), str(full)] == ["〔2026〕1号", "〔2026〕2号"]
    number = PEOPLE_A[0]["身份证号"]

    def words(letter: InquiryLetter) -> str:
        answer = client.post(f"/evidence/letters/{letter.pk}/word/")
        assert answer.status_code == 200
        book = Document(io.BytesIO(answer.content))
        cells = [cell.text for table in book.tables for row in table.rows for cell in row.cells]
        return "\n".join([*(paragraph.text for paragraph in book.paragraphs), *cells])

    first = words(masked)
    assert "宝安区教育局：" in first
    assert "〔2026〕1号" in first
    assert "990121************" in first
    assert number not in first
    assert [str(row.letter) for row in masked.children.all()] == ["〔2026〕1号"]
    assert number not in client.get(f"/evidence/letters/{full.pk}/").content.decode()
    if full.children.filter(student__name="李小雨").exists():
        assert number in words(full)
    else:
        assert PEOPLE_A[1]["身份证号"] in words(full)
    assert AccessRecord.objects.filter(subject_kind="inquiry-letter", action="export").count() == 1
    assert AccessRecord.objects.filter(subject_kind="inquiry-letter", purpose__contains="完整证件号").count() >= 2
    asked = masked.children.get()
    inquiries.answer(asked, said="confirmed", note="在读", on=dt.date(2026, 11, 20), by=officer)
    asked.refresh_from_db()
    assert (asked.answer, asked.noted_by) == ("confirmed", officer)
    assert away.client("town-a").post(f"/evidence/letters/{full.pk}/word/").status_code == 403
