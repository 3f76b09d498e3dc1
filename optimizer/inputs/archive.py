"""Whether a workbook may be opened: how large its archive says it is, and how much XML is in it."""

import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO
from xml.parsers import expat

MAX_UNPACKED = 50_000_000
"""No workbook of a portfolio is larger when unpacked. [bytes]"""
MAX_PARTS = 1_000
"""Nor has it more files in its archive."""
MAX_CELL_ELEMENTS = 300_000
"""Nor more XML elements of cells, two or three each; a deck of 3,000 rows has 66,000 cells."""
MAX_OTHER_ELEMENTS = 100_000
"""Nor more of those that cost more to read: rows, texts, styles, merged ranges."""
MAX_DEPTH = 64
"""XML of a workbook is not nested deeper."""
CELL_PARTS = frozenset({"c", "v", "f", "is", "t"})
OLD_OR_ENCRYPTED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How files of Excel 97 begin, and the envelope of an encrypted workbook."""
ENTRY = b"PK\x01\x02"
"""How an entry in the directory of a zip archive begins."""

UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    NotImplementedError,
    LookupError,  # XML that names an encoding which is none
)
"""What the archive and its XML raise when they are damaged."""

Refusal = tuple[str, str, str]
"""Code, message and remedy."""

TOO_LARGE = "keep only the tables of this portfolio"


def archive_refusal(data: bytes) -> Refusal | None:
    """Why the bytes of a workbook are not read, or None; nothing large is unpacked to find out."""
    if data.startswith(OLD_OR_ENCRYPTED):
        if "EncryptedPackage".encode("utf-16-le") in data:
            return _locked("the workbook is encrypted")
        return "not-a-workbook", "it is a workbook of an old format, or none", "save it as .xlsx"
    if data.count(ENTRY) > MAX_PARTS:
        return "too-large", f"the workbook has more than {MAX_PARTS:,} parts", TOO_LARGE
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _directory_refusal(archive.infolist()) or _content_refusal(archive)
    except UNREADABLE as trouble:
        return broken(trouble)


def broken(trouble: Exception) -> Refusal:
    """The refusal of a file that its reader stumbles over."""
    why = " ".join(str(trouble).split())[:120] or type(trouble).__name__
    return "not-a-workbook", f"it cannot be read as a workbook: {why}", "save it as .xlsx again"


def _locked(message: str) -> Refusal:
    return "encrypted-workbook", message, "save it without a password"


def _directory_refusal(parts: list[zipfile.ZipInfo]) -> Refusal | None:
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MAX_UNPACKED:
        said = f"the workbook has {unpacked / 1e6:,.0f} MB unpacked, more than {MAX_UNPACKED / 1e6:,.0f}"
        return "too-large", said, TOO_LARGE
    if any(part.flag_bits & 0x1 for part in parts):
        return _locked("parts of the workbook are encrypted")
    if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
        return "not-a-workbook", "it is packed in a way that workbooks are not", "save it as .xlsx again"
    return None


def _content_refusal(archive: zipfile.ZipFile) -> Refusal | None:
    counts = _Counts()
    for part in archive.infolist():
        with archive.open(part) as content:
            try:
                counts.add(content)
            except _TooMuchError as much:
                return "too-large", f"{part.filename[:60]}: {much}", TOO_LARGE
            except _DeclaredError:
                why = f"{part.filename[:60]} declares a document type, which workbooks do not"
                return "not-a-workbook", why, "save it as .xlsx again"
    return None


@dataclass(frozen=True)
class Marks:
    """What the XML of a sheet says beside its lines."""

    merged: tuple[str, ...] = ()
    """Ranges of cells that are one, such as B2:B4."""
    beyond: str = ""
    """The first cell with something in it right of the last column that is read."""


CELL = re.compile(r"([A-Z]{1,3})[0-9]{1,7}")


def marks_of(sheet: IO[bytes], columns: int) -> Marks:
    """Merged ranges of a sheet, and its first cell right of so many columns."""
    merged: list[str] = []
    beyond: list[str] = []
    line, column = 0, 0

    def start(name: str, said: dict[str, str]) -> None:
        nonlocal line, column
        word = name.rpartition(":")[2]
        if word == "mergeCell":
            merged.append(said.get("ref", ""))
        elif word == "row":
            line, column = line + 1, 0
        elif word == "c":
            at = CELL.fullmatch(said.get("r", ""))
            column = _number(at[1]) if at else column + 1
            line = int(at[0][len(at[1]) :]) if at else line
        elif word in ("v", "is", "f") and column > columns and not beyond:
            beyond.append(f"{_letters(column)}{line}")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.ParseFile(sheet)
    return Marks(tuple(merged), "".join(beyond))


def _number(letters: str) -> int:
    """Of a column, counted from one."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number


def _letters(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


class _TooMuchError(Exception):
    """More than is ever read."""


class _DeclaredError(Exception):
    """A document type could declare entities without end."""


class _Counts:
    """Counts the elements of the workbook's parts, as they stream by."""

    def __init__(self) -> None:
        self.cells = self.others = self.depth = 0

    def add(self, content: IO[bytes]) -> None:
        """Count one part; what is not XML ends where it stops being so."""
        self.depth = 0
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._doctype
        try:
            parser.ParseFile(content)
        except expat.ExpatError:
            return

    def _start(self, name: str, _: object) -> None:
        self.depth += 1
        word = name.rpartition(":")[2]
        if word in CELL_PARTS:
            self.cells += 1
        else:
            self.others += 1
        if self.cells > MAX_CELL_ELEMENTS or self.others > MAX_OTHER_ELEMENTS:
            raise _TooMuchError("more cells, texts or styles than any portfolio")
        if self.depth > MAX_DEPTH:
            raise _TooMuchError(f"nested more than {MAX_DEPTH} deep")

    def _end(self, _: str) -> None:
        self.depth -= 1

    def _doctype(self, *_: object) -> None:
        raise _DeclaredError
