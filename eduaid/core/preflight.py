"""What kind of file this is, by content, and whether it is safe to open. Plain Python, no Django.

``kind_of`` looks at the first bytes only and is cheap enough for the upload page. ``inspect`` also opens the container
(zip directory, OLE directory) without unpacking it. Unpacking itself happens in the limited process (``parser``),
through ``SafeZip.chunks``, which counts what really comes out.

Every refusal is a ``FileRefused`` with a code and a Chinese sentence that says what the file is and what to do.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TypeAlias

MB = 1024 * 1024
Param: TypeAlias = str | int


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file may be and cost. Sizes in bytes, times in seconds."""

    file_bytes: int = 50 * MB
    rows: int = 200_000
    columns: int = 1_000
    unpacked_bytes: int = 400 * MB
    entries: int = 5_000
    ratio: int = 200
    cpu_seconds: int = 60
    wall_seconds: float = 90.0
    memory_bytes: int = 2048 * MB  # ceiling of the parsing process; small files get less


class Kind(StrEnum):
    XLSX = "xlsx"  # also xlsm and templates: values are read, macros never run
    XLS = "xls"  # BIFF in an OLE container; WPS .et is the same
    ODS = "ods"
    CSV = "csv"  # any delimited text
    HTML = "html"  # a table saved as .xls by a web system
    XML = "xml"  # SpreadsheetML 2003


SENTENCES: Mapping[str, str] = {
    "empty": "这是一个空文件（0 字节）。请检查原文件，重新保存后上传",
    "too-large": "文件有 {size} MB，超过 {limit} MB 的上限。请删去图片或按学校分成几个文件上传",
    "wrong-kind": "这不是表格，而是{kind}。请上传 xlsx、xls、et、ods 或 csv 格式的表格",
    "archive": "这是压缩包（{kind}）。请解压后上传里面的表格",
    "unknown-kind": "看不出这是什么文件，不是能读取的表格。请用 WPS 或 Excel 打开后另存为 xlsx 再上传",
    "xlsb": "这是二进制工作簿（xlsb）。请用 WPS 或 Excel 打开后另存为 xlsx 再上传",
    "old-xls": "这是很早版本的表格文件。请用 WPS 或 Excel 打开后另存为 xlsx 再上传",
    "truncated": "文件不完整，可能上传中断或保存时出错。请重新保存并重新上传",
    "damaged": "文件内部有损坏（{part}）。请用 WPS 或 Excel 打开，另存为新的 xlsx 后上传",
    "encrypted": "文件设有打开密码。请在 WPS 或 Excel 中取消密码，保存后再上传",
    "bomb": "文件解压后过大，不像正常的表格。请用 WPS 或 Excel 打开，另存为新的 xlsx 后上传",
    "entries": "文件内含 {count} 个部件，不像正常的表格。请另存为新的 xlsx 后上传",
    "overlapping": "文件的压缩结构异常。请用 WPS 或 Excel 打开，另存为新的 xlsx 后上传",
    "path": "文件内部的路径异常。请用 WPS 或 Excel 打开，另存为新的 xlsx 后上传",
    "doctype": "文件中含有不允许的内容（DOCTYPE 声明）。请用 WPS 或 Excel 打开，另存为新的 xlsx 后上传",
    "structure": "表格结构异常，请另存后重新上传",
    "shared-strings": "表格结构异常（文字表的声明与内容不符），请另存后重新上传",
    "far-cell": (
        "工作表“{sheet}”第 {row} 行第 {column} 列有孤立的内容，表格范围过大。"
        "请删除该处内容（或删除数据以外的所有行、列）后重新上传"
    ),
    "rows": "工作表“{sheet}”有 {rows} 行以上，超过 {limit} 行的上限。请分成几个文件上传",
    "columns": "工作表“{sheet}”有 {columns} 列，超过 {limit} 列的上限。请删去数据以外的列后重新上传",
    "no-sheets": "文件里没有可以读取的工作表。请检查后重新上传",
    "no-table": "这个网页文件里没有表格。请用 WPS 或 Excel 打开后另存为 xlsx 再上传",
    "encoding": "文字编码无法识别。请用 WPS 或 Excel 打开后另存为 xlsx 再上传",
    "quotes": "第 {row} 行的引号没有成对，后面的内容无法分列。请用 WPS 或 Excel 打开后另存为 xlsx 再上传",
    "virus": "病毒扫描发现文件有问题（{name}），已隔离，没有读取。请查杀病毒后重新上传",
    "unscanned": "病毒扫描服务没有回应，文件没有读取。请稍后重新上传，或请系统管理员检查",
    "time": "读取这个文件用时过长，已停止。请另存为新的 xlsx，或分成几个文件上传",
    "memory": "读取这个文件需要的内存过多，已停止。请删去数据以外的行、列，或分成几个文件上传",
    "crashed": "这个文件无法读取，它的结构使读取程序中断。请用 WPS 或 Excel 打开，另存为新的 xlsx 后上传",
}


class FileRefused(Exception):
    """The file as a whole cannot be taken. ``sentence`` is for the user; ``params`` hold no personal data."""

    def __init__(self, code: str, **params: Param) -> None:
        self.code = code
        self.params = params
        self.sentence = SENTENCES[code].format(**params)
        super().__init__(f"{code}: {self.sentence}")

    def __reduce__(self) -> tuple[object, ...]:
        return _refusal, (self.code, self.params)


def _refusal(code: str, params: dict[str, Param]) -> FileRefused:
    return FileRefused(code, **params)


# Beginning of file → what it really is, for the refusal.
_FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "图片（JPEG）"),
    (b"\x89PNG\r\n", "图片（PNG）"),
    (b"GIF8", "图片（GIF）"),
    (b"BM", "图片（BMP）"),
    (b"II*\0", "图片（TIFF）"),
    (b"MM\0*", "图片（TIFF）"),
    (b"%PDF", "PDF 文档"),
    (b"{\\rtf", "RTF 文档"),
    (b"MZ", "程序（exe）"),
    (b"\x7fELF", "程序"),
    (b"%!PS", "PostScript 文档"),
    (b"SQLite format 3\0", "数据库文件"),
    (b"\0\1\0\0Standard ", "数据库文件（Access）"),
    (b"ID3", "音频文件"),
    (b"OggS", "音频文件"),
    (b"RIFF", "音频或视频文件"),
)
_ARCHIVES: tuple[tuple[bytes, str], ...] = (
    (b"Rar!", "rar"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\x1f\x8b", "gz"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ", "xz"),
    (b"MSCF", "cab"),
)
_ZIP, _ZIP_EMPTY, _OLE = b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Workbooks of Excel 2 to 4, and Excel 5 streams without a container: a BOF record right at the start.
_RAW_BIFF = (
    b"\x09\x00\x04\x00",
    b"\x09\x00\x06\x00",
    b"\x09\x02\x06\x00",
    b"\x09\x04\x06\x00",
    b"\x09\x08\x08\x00",
    b"\x09\x08\x10\x00",
)
_HTML = re.compile(rb"<(?:!doctype html|html|head|body|meta|table|style)[\s>/]", re.IGNORECASE)
_XML_SHEET = b"urn:schemas-microsoft-com:office:spreadsheet"
_TEXT_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")


def kind_of(head: bytes, size: int | None = None, limits: Limits | None = None) -> Kind:
    """The kind by the first bytes (at least 4,096 of them). ``size`` is the whole file's length, where known.

    A zip or OLE container counts as a spreadsheet here; ``inspect`` looks inside.
    """
    size = len(head) if size is None else size
    limit = (limits or Limits()).file_bytes
    if size == 0:
        raise FileRefused("empty")
    if size > limit:
        raise FileRefused("too-large", size=-(-size // MB), limit=limit // MB)
    if head.startswith((_ZIP, _ZIP_EMPTY)):
        return Kind.XLSX
    if head.startswith(_OLE):
        return Kind.XLS
    for magic, name in _FOREIGN:
        if head.startswith(magic) and not (magic == b"BM" and _is_text(head)):
            raise FileRefused("wrong-kind", kind=name)
    for magic, name in _ARCHIVES:
        if head.startswith(magic):
            raise FileRefused("archive", kind=name)
    if head[4:8] == b"ftyp":
        raise FileRefused("wrong-kind", kind="视频或手机照片（HEIC）")
    if head.startswith(_RAW_BIFF):
        raise FileRefused("old-xls")
    if head.startswith(_TEXT_MARKS[:2]):
        return Kind.CSV
    start = head[:4096].removeprefix(_TEXT_MARKS[2]).lstrip()
    if start.startswith(b"<"):
        return _markup_kind(start)
    if not start:
        raise FileRefused("empty")
    if not _is_text(head):
        raise FileRefused("truncated" if not head.strip(b"\0") else "unknown-kind")
    return Kind.CSV


def _markup_kind(start: bytes) -> Kind:
    if _XML_SHEET in start:
        return Kind.XML
    if _HTML.search(start):
        return Kind.HTML
    raise FileRefused("wrong-kind", kind="网页或 XML 文件")


_BINARY = frozenset(range(32)) - frozenset(b"\t\n\r\x0b\x0c\x1a\x1b\0")


def _is_text(head: bytes) -> bool:
    """Hardly any control bytes. A stray NUL is allowed (exports of old systems pad with it); many mean a binary
    file."""
    sample = head[:65_536]
    binary = sum(byte in _BINARY for byte in sample)
    return binary * 200 <= len(sample) and sample.count(0) <= max(4, len(sample) // 20)


def inspect(data: bytes, filename: str = "", limits: Limits | None = None) -> Kind:
    """The kind of a whole file, containers opened but not unpacked. The file's name is not believed, whatever it
    ends in."""
    limits = limits or Limits()
    kind = kind_of(data[: 128 * 1024], len(data), limits)
    if kind is Kind.XLSX:
        return SafeZip(data, limits).kind
    if kind is Kind.XLS:
        _inspect_ole(data)
    return kind


@dataclass(frozen=True, slots=True)
class Part:
    """One entry of the zip: where its packed bytes lie and what the directory claims about them."""

    name: str
    start: int
    packed: int
    unpacked: int
    crc: int
    deflated: bool


class SafeZip:
    """A zip file whose directory was checked before anything is unpacked. Nothing is ever written to disk."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        self._data = data
        self._limits = limits
        self._produced = 0
        self.parts = {part.name: part for part in _checked_parts(data, limits)}

    @property
    def kind(self) -> Kind:
        """XLSX or ODS; anything else in a zip is refused by its true name."""
        names = self.parts.keys()
        if "mimetype" in names:
            mime = b"".join(self.chunks("mimetype"))[:200]
            if b"opendocument.spreadsheet" in mime:
                if b"encryption-data" in b"".join(self.chunks("META-INF/manifest.xml")):
                    raise FileRefused("encrypted")
                return Kind.ODS
            if b"opendocument" in mime:
                raise FileRefused("wrong-kind", kind="OpenDocument 文档")
        folders = {name.partition("/")[0].lower() for name in names}
        if any(name.lower() == "xl/workbook.bin" for name in names):
            raise FileRefused("xlsb")
        if "xl" in folders or any(name.lower().endswith("workbook.xml") for name in names):
            return Kind.XLSX
        if "word" in folders:
            raise FileRefused("wrong-kind", kind="Word 文档")
        if "ppt" in folders:
            raise FileRefused("wrong-kind", kind="PPT 演示文稿")
        raise FileRefused("archive", kind="zip")

    def chunks(self, name: str, size: int = 1 << 20) -> Iterator[bytes]:
        """The unpacked bytes of one part, in pieces of at most ``size``.

        What really comes out is counted and must equal the claimed length and checksum; refused as soon as it exceeds
        them, so a false claim costs one piece at most.
        """
        part = self.parts.get(name)
        if part is None:
            return
        produced, crc = 0, 0
        for piece in _inflate(self._data, part, size):
            produced += len(piece)
            self._produced += len(piece)
            if produced > part.unpacked:  # a broken part, or one that lies about its size
                raise FileRefused("damaged", part=_shown(name))
            if self._produced > 4 * self._limits.unpacked_bytes:
                raise FileRefused("bomb")
            crc = zlib.crc32(piece, crc)
            yield piece
        if produced != part.unpacked or crc != part.crc:
            raise FileRefused("damaged", part=_shown(name))

    def read(self, name: str) -> bytes:
        return b"".join(self.chunks(name))


def _shown(name: str) -> str:
    return name.rpartition("/")[2][:40]


def _inflate(data: bytes, part: Part, size: int) -> Iterator[bytes]:
    packed = memoryview(data)[part.start : part.start + part.packed]
    if not part.deflated:
        for start in range(0, part.packed, size):
            yield bytes(packed[start : start + size])
        return
    inflater = zlib.decompressobj(-15)
    position, rest = 0, b""
    try:
        while not inflater.eof:
            if not rest:
                if position >= part.packed:
                    break
                rest = bytes(packed[position : position + 65_536])
                position += 65_536
            piece = inflater.decompress(rest, size)
            rest = inflater.unconsumed_tail
            if piece:
                yield piece
        if not inflater.eof:
            raise FileRefused("damaged", part=_shown(part.name))
    except zlib.error:
        raise FileRefused("damaged", part=_shown(part.name)) from None


def _checked_parts(data: bytes, limits: Limits) -> list[Part]:
    """The zip's directory, refused unless every entry is plain, bounded and apart from the others."""
    if (claimed := data.count(b"PK\x01\x02")) > 2 * limits.entries:  # before a million entries become objects
        raise FileRefused("entries", count=claimed)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, ValueError, struct.error, EOFError):
        raise FileRefused("truncated") from None
    if len(entries) > limits.entries:
        raise FileRefused("entries", count=len(entries))
    if sum(entry.file_size for entry in entries) > limits.unpacked_bytes:
        raise FileRefused("bomb")
    parts: list[Part] = []
    spans: list[tuple[int, int]] = []
    names: set[str] = set()
    for entry in entries:
        if entry.flag_bits & 0x1:
            raise FileRefused("encrypted")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise FileRefused("damaged", part=_shown(entry.filename))
        # A megabyte of any kind is harmless, so that highly regular small parts are not taken for bombs.
        if entry.file_size > MB and entry.file_size > limits.ratio * max(entry.compress_size, 1):
            raise FileRefused("bomb")
        name = _safe_name(entry.orig_filename)
        if name.lower() in names:
            raise FileRefused("overlapping")
        names.add(name.lower())
        start = _data_start(data, entry)
        spans.append((entry.header_offset, start + entry.compress_size))
        if not name.endswith("/"):
            deflated = entry.compress_type == zipfile.ZIP_DEFLATED
            parts.append(Part(name, start, entry.compress_size, entry.file_size, entry.CRC, deflated))
    spans.sort()
    # Entries that share bytes multiply the same packed data (42.zip and its kin).
    if any(end > following for (_, end), (following, _) in pairwise(spans)):
        raise FileRefused("overlapping")
    return parts


def _safe_name(name: str) -> str:
    """Forward slashes; no way out of the archive. Java tools on Windows write backslashes."""
    name = name.partition("\0")[0].replace("\\", "/")
    if name.startswith("/") or ":" in name or ".." in name.split("/") or not name:
        raise FileRefused("path")
    return name


def _data_start(data: bytes, entry: zipfile.ZipInfo) -> int:
    header = data[entry.header_offset : entry.header_offset + 30]
    if len(header) < 30 or not header.startswith(_ZIP):
        raise FileRefused("damaged", part=_shown(entry.filename))
    name_length, extra_length = struct.unpack("<HH", header[26:30])
    start = entry.header_offset + 30 + name_length + extra_length
    if start + entry.compress_size > len(data):
        raise FileRefused("truncated")
    return int(start)


def _inspect_ole(data: bytes) -> None:
    """Old Office containers: a workbook passes; encrypted packages and other documents are refused by name."""
    import olefile  # type: ignore[import-untyped]  # only OLE files need it

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as ole:
            streams = {"/".join(path).lower() for path in ole.listdir()}
    except (OSError, ValueError, IndexError, struct.error, TypeError, AttributeError, RecursionError, MemoryError):
        raise FileRefused("truncated") from None
    if "encryptedpackage" in streams or "encryptioninfo" in streams:
        raise FileRefused("encrypted")
    if "workbook" in streams or "book" in streams:
        return
    if "worddocument" in streams:
        raise FileRefused("wrong-kind", kind="Word 文档")
    if "powerpoint document" in streams:
        raise FileRefused("wrong-kind", kind="PPT 演示文稿")
    if any(stream.startswith("__properties_version") for stream in streams):
        raise FileRefused("wrong-kind", kind="邮件")
    raise FileRefused("unknown-kind")
