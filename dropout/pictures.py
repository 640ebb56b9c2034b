"""Pictures and PDFs that people send as proof, made safe to keep. Plain Python with Pillow, no Django.

A picture is drawn anew from its pixels, so nothing that a camera writes beside them (place, device, time, owner, comment,
thumbnail) is kept, and is shrunk until it needs at most 300 KB. A PDF is kept as it came if it holds nothing that acts.
"""

from __future__ import annotations

import io
import re
import zlib
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

MB = 1024 * 1024
PICTURE_BYTES = 300 * 1024
"""What a kept picture may need."""

SENT_BYTES, PDF_BYTES = 20 * MB, 5 * MB
_PIXELS = 64_000_000  # more than any phone takes in its usual mode; decoding needs 3 bytes each
_EDGE = 1600
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")


class FileRejected(Exception):
    """The file cannot be taken as proof; the sentence says why and what to do."""


@dataclass(frozen=True)
class Kept:
    data: bytes
    type: str


def cleaned(data: bytes) -> Kept:
    """What is kept of a file that somebody sent. Raises FileRejected."""
    if not data:
        raise FileRejected("这个文件是空的（0 字节）。请重新拍照或选择文件。")
    if len(data) > SENT_BYTES:
        raise FileRejected(
            f"文件有 {len(data) // MB} MB，超过 {SENT_BYTES // MB} MB 的上限。请降低拍照分辨率或分开上传。"
        )
    if data[:1024].lstrip().startswith(b"%PDF"):
        _check_pdf(data)
        return Kept(data, "application/pdf")
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"hevc", b"mif1", b"msf1"):
        raise FileRejected(
            "这是苹果手机的 HEIC 照片，电脑上不能直接查看。请在“设置—相机—格式”里选“兼容性最佳”后重拍，或发一张截图。"
        )
    return Kept(_drawn_anew(data), "image/jpeg")


def _drawn_anew(data: bytes) -> bytes:
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as sent:
            if sent.width * sent.height > _PIXELS:
                raise FileRejected(
                    f"图片有 {sent.width}×{sent.height} 像素，超出可以处理的大小。请降低拍照分辨率后重拍，或发一张截图。"
                )
            sent.draft("RGB", (_EDGE, _EDGE))
            upright = ImageOps.exif_transpose(sent)
            upright.thumbnail((_EDGE, _EDGE))
            pixels = upright.convert("RGBA")
    except (UnidentifiedImageError, Image.DecompressionBombError):
        raise FileRejected("这不是能识别的图片。请上传 jpg、png 图片或 pdf 文件。") from None
    except (OSError, SyntaxError, ValueError, EOFError, zlib.error):
        raise FileRejected("图片不完整或已损坏，打不开。请重新拍照或重新保存后上传。") from None
    # A new canvas: what stood beside the pixels has nowhere to go.
    picture = Image.new("RGB", pixels.size, "white")
    picture.paste(pixels, mask=pixels.getchannel("A"))
    for edge, quality in ((_EDGE, 82), (_EDGE, 70), (1280, 70), (1280, 58), (1024, 55), (800, 50), (640, 45)):
        picture.thumbnail((edge, edge))
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
        if out.tell() <= PICTURE_BYTES:
            break
    return out.getvalue()


# What makes a PDF act: scripts, programs, files inside, forms that fetch.
_ACTING = re.compile(rb"/(JavaScript|JS|Launch|EmbeddedFiles?|RichMedia|XFA|GoToR|ImportData|SubmitForm)\b")
_ENCRYPTED = re.compile(rb"/Encrypt\b")
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_UNPACKED = 20 * MB


def _check_pdf(data: bytes) -> None:
    if len(data) > PDF_BYTES:
        raise FileRejected(
            f"PDF 有 {len(data) / MB:.1f} MB，超过 {PDF_BYTES // MB} MB 的上限。请压缩后上传，或改为上传照片。"
        )
    if b"%%EOF" not in data[-2048:]:
        raise FileRejected("PDF 不完整，可能传输中断。请重新保存后上传。")
    if _ENCRYPTED.search(data):
        raise FileRejected("PDF 设有密码。请取消密码后上传，或改为上传照片。")
    room = _UNPACKED
    for part in (data, *(match[1] for match in _STREAM.finditer(data))):
        text = part if part is data else _unpacked(part, room)
        room -= 0 if part is data else len(text)
        if room <= 0:
            raise FileRejected("PDF 解压后过大，不像正常的证明材料。请改为上传照片。")
        if _ACTING.search(_ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), text)):
            raise FileRejected(
                "PDF 里有脚本、附件或外部链接等会运行的内容，不能收下。请打印成普通 PDF，或改为上传照片。"
            )


def _unpacked(stream: bytes, room: int) -> bytes:
    """The text of a packed stream, empty where it is packed in another way (pictures)."""
    try:
        return zlib.decompressobj().decompress(stream, room)
    except zlib.error:
        return b""
