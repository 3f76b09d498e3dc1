"""Files that are no workbook, or one that would never end: a finding, soon and in little memory."""

import io
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from models.findings import InputError
from optimizer.inputs import archive
from optimizer.inputs.convert import write_workbook
from optimizer.inputs.load import load
from optimizer.shipped import find_portfolio

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET = "xl/worksheets/sheet2.xml"
OLE = bytes.fromhex("d0cf11e0a1b11ae1")
SOON_S = 10.0
"""Of the processor: even the largest workbook that is opened is read within this."""


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The workbook of a shipped portfolio."""
    file = tmp_path_factory.mktemp("good") / "tiny.xlsx"
    write_workbook(file, find_portfolio("tiny"))
    return file.read_bytes()


def repacked(good: bytes, parts: dict[str, bytes | None], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The workbook with parts changed, added, or, where None, left out."""
    with zipfile.ZipFile(io.BytesIO(good)) as old:
        content = {name: old.read(name) for name in old.namelist()} | parts
    new = io.BytesIO()
    with zipfile.ZipFile(new, "w", method) as made:
        for name, data in content.items():
            if data is not None:
                made.writestr(name, data)
    return new.getvalue()


def sheet(rows: str, more: str = "") -> bytes:
    return f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData>{more}</worksheet>'.encode()


def refusal(tmp_path: Path, data: bytes) -> tuple[str, str]:
    """Code and message of the finding on the file, which is the only one."""
    (tmp_path / "a.xlsx").write_bytes(data)
    with pytest.raises(InputError) as refused:
        load(tmp_path / "a.xlsx")
    (finding,) = refused.value.findings
    assert finding.row == "a.xlsx"
    assert str(finding).isprintable()
    return finding.code, finding.message


def test_what_is_no_workbook(good: bytes, tmp_path: Path) -> None:
    for data in (
        b"",
        b"a,b\n1,2\n",
        b"PK\x03\x04",
        good[: len(good) // 2],
        good.replace(b"PK\x01\x02", b"PK\x01\x03"),
        OLE + b"\0" * 600,
        repacked(good, {"[Content_Types].xml": None}),
        repacked(good, {"xl/workbook.xml": None}),
        repacked(good, {"xl/workbook.xml": b"<workbook"}),
        repacked(good, {"xl/workbook.xml": b'<?xml version="1.0" encoding="UTF-89"?><workbook/>'}),
        repacked(good, {"xl/workbook.xml": b'<?xml version="1.0" encoding="rot13"?><workbook/>'}),
        repacked(good, {SHEET: b'<?xml version="1.0" encoding="shift_jis"?><worksheet/>'}),
        repacked(good, {SHEET: b"<worksheet><sheetData>"}),
        repacked(good, {"xl/sharedStrings.xml": sheet("")}),
        repacked(good, {SHEET: sheet('<row r="x"><c/></row>')}),
        repacked(good, {SHEET: sheet(f"<row><c><v>{'9' * 5000}</v></c></row>")}),
        repacked(good, {}, zipfile.ZIP_LZMA),
        repacked(good, {}, zipfile.ZIP_BZIP2),
    ):
        assert refusal(tmp_path, data)[0] == "not-a-workbook"


@pytest.mark.parametrize("at", ["IW2", "XFD2", ""])
def test_a_cell_far_right_is_not_lost(good: bytes, tmp_path: Path, at: str) -> None:
    far = f'<c r="{at}"><v>1</v></c>' if at else "<c/>" * 256 + "<c><v>1</v></c>"
    head = '<row><c t="inlineStr"><is><t>name</t></is></c></row>'
    (tmp_path / "a.xlsx").write_bytes(repacked(good, {SHEET: sheet(f"{head}<row>{far}</row>")}))
    with pytest.raises(InputError) as refused:
        load(tmp_path / "a.xlsx")
    found = [f.cell for f in refused.value.findings if f.code == "ragged-row"]
    assert found == [f"company!{at or 'IW2'}"]


def test_an_encrypted_workbook_is_called_so(good: bytes, tmp_path: Path) -> None:
    envelope = OLE + b"\0" * 1000 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 1000
    assert refusal(tmp_path, envelope)[0] == "encrypted-workbook"
    directory = good.index(b"PK\x01\x02")
    flagged = good[: directory + 8] + b"\x01" + good[directory + 9 :]
    assert refusal(tmp_path, flagged)[0] == "encrypted-workbook"


def test_a_gigabyte_of_zeros_is_refused_by_the_directory(good: bytes, tmp_path: Path) -> None:
    data = io.BytesIO()
    with (
        zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made,
        made.open(SHEET, "w", force_zip64=True) as part,
    ):
        for _ in range(1000):
            part.write(bytes(1_000_000))
    began = time.monotonic()
    assert refusal(tmp_path, data.getvalue()) == (
        "too-large",
        "the workbook has 1,000 MB unpacked, more than 50",
    )
    assert time.monotonic() - began < 1.0


def test_a_directory_that_lies_about_sizes_is_found_out(good: bytes, tmp_path: Path) -> None:
    bomb = repacked(good, {SHEET: sheet(" " * 20_000_000)})
    with zipfile.ZipFile(io.BytesIO(bomb)) as made:
        size = made.getinfo(SHEET).file_size.to_bytes(4, "little")
    assert refusal(tmp_path, bomb.replace(size, (900).to_bytes(4, "little")))[0] == "not-a-workbook"


def test_an_archive_of_very_many_parts_is_not_opened(good: bytes, tmp_path: Path) -> None:
    data = repacked(good, {f"xl/{n}.xml": b"" for n in range(archive.MAX_PARTS)})
    assert refusal(tmp_path, data)[0] == "too-large"


@pytest.mark.parametrize(
    ("part", "content"),
    [
        (SHEET, sheet("<row><c><v>1</v></c></row>" * 110_000)),
        (SHEET, sheet("<row>" + "<c/>" * 310_000 + "</row>")),
        (SHEET, sheet("", "<mergeCells>" + '<mergeCell ref="A1:B2"/>' * 110_000 + "</mergeCells>")),
        (SHEET, sheet("<row>" * 100 + "</row>" * 100)),
        ("xl/styles.xml", f'<styleSheet xmlns="{MAIN}">{"<font/>" * 110_000}</styleSheet>'.encode()),
        ("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">{"<si><t/></si>" * 110_000}</sst>'.encode()),
        ("xl/theme/theme1.xml", b"<a>" * 100_000),
        ("anything.bin", b"<a>" + b"<b/>" * 110_000 + b"</a>"),
    ],
)
def test_more_xml_than_any_portfolio_has_is_not_parsed(
    good: bytes, tmp_path: Path, part: str, content: bytes
) -> None:
    assert refusal(tmp_path, repacked(good, {part: content}))[0] == "too-large"


def test_entities_are_not_expanded(good: bytes, tmp_path: Path) -> None:
    laughs = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
    text = f'<!DOCTYPE x [<!ENTITY l0 "lol">{laughs}]><sst xmlns="{MAIN}"><si><t>&l9;</t></si></sst>'
    for declared in (text, f'<!DOCTYPE x SYSTEM "file:///etc/passwd"><sst xmlns="{MAIN}"/>'):
        said = refusal(tmp_path, repacked(good, {"xl/sharedStrings.xml": declared.encode()}))
        assert said[0] == "not-a-workbook"
        assert "document type" in said[1]


BOUNDED = f"""
import resource, sys, time
resource.setrlimit(resource.RLIMIT_AS, (2_000_000_000, 2_000_000_000))
from models.findings import InputError
from optimizer.inputs.load import load
load("tiny")
began = time.process_time()
try:
    load(sys.argv[1])
except InputError as refused:
    print(*sorted({{f.code for f in refused.findings}}))
assert time.process_time() - began < {SOON_S}, time.process_time() - began
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
assert peak_mb < 1000, peak_mb
"""


def strings(first: str) -> bytes:
    return f'<sst xmlns="{MAIN}"><si><t>{first}</t></si>{"<si><t>x</t></si>" * 2000}</sst>'.encode()


STYLES = f'<styleSheet xmlns="{MAIN}"><cellXfs>{"<xf/>" * 80_000}</cellXfs></styleSheet>'.encode()
FIRST_TEXT = '<row><c t="s"><v>0</v></c></row>'
INLINE = '<row><c t="inlineStr"><is><t>x</t></is></c></row>'
LARGE: dict[str, tuple[dict[str, bytes | None], str]] = {
    "wide": ({SHEET: sheet("<row>" + "<c/>" * 280_000 + "</row>")}, "no-header"),
    "far down": ({SHEET: sheet('<row r="2000000000"><c><v>1</v></c></row>')}, "no-header"),
    "below": ({SHEET: sheet(INLINE + '<row r="2000000000"><c><v>1</v></c></row>')}, "too-many-rows"),
    "far right": ({SHEET: sheet('<row><c r="ZZZ1"><v>1</v></c></row>' * 60_000)}, "no-header"),
    "long": ({SHEET: sheet(INLINE * 45_000)}, "too-many-rows"),
    "merged": ({SHEET: sheet("", '<mergeCell ref="A1:B2"/>' * 80_000)}, "no-header"),
    "styles": ({"xl/styles.xml": STYLES}, ""),
    "one long text": (
        {SHEET: sheet(FIRST_TEXT * 20_000), "xl/sharedStrings.xml": strings(" x" * 20_000_000)},
        "",
    ),
}
"""Parts of a workbook just below what is refused, and a finding that they give."""


@pytest.mark.parametrize("name", LARGE)
def test_the_largest_workbooks_that_are_opened_are_read_soon(good: bytes, tmp_path: Path, name: str) -> None:
    parts, code = LARGE[name]
    (tmp_path / "a.xlsx").write_bytes(repacked(good, parts))
    done = subprocess.run(
        [sys.executable, "-c", BOUNDED, "a.xlsx"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert code in done.stdout


def test_links_and_macros_are_not_followed(good: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(good)) as made:
        book = made.read("xl/workbook.xml").decode()
        links = made.read("xl/_rels/workbook.xml.rels").decode()
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    link = f'<Relationship Id="rId99" Type="{kind}/externalLink" Target="externalLinks/none.xml"/>'
    reference = '<externalReferences><externalReference r:id="rId99"/></externalReferences>'
    data = repacked(
        good,
        {
            "xl/workbook.xml": book.replace("</sheets>", "</sheets>" + reference).encode(),
            "xl/_rels/workbook.xml.rels": links.replace("</Relation", link + "</Relation").encode(),
            "xl/vbaProject.bin": OLE + b"Shell",
        },
    )
    (tmp_path / "a.xlsx").write_bytes(data)
    assert load(tmp_path / "a.xlsx").portfolio == load("tiny").portfolio
