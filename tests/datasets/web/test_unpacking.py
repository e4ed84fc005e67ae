"""Pictures out of archives: hostile names, links, bombs, damage."""

from __future__ import annotations

import contextlib
import io
import lzma
import random
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.errors import DatasetError
from multitrain.datasets.web.fetching import Unusable
from multitrain.datasets.web.unpacking import Unpacked, unpack

PLENTY = 10**9
Pack = Callable[[Path, dict[str, bytes]], None]


def png(level: int = 100, side: int = 8) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), (level, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def pack_zip(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def pack_tar(path: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


packers = pytest.mark.parametrize("pack", [pack_zip, pack_tar])


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Not there yet; named as no archive is."""
    return tmp_path / "archive"


def unpacked(archive: Path, most: int = PLENTY) -> tuple[Unpacked, dict[str, bytes]]:
    """What came out, and the files that are there now."""
    folder = archive.parent / "out"
    folder.mkdir()
    told = [0]
    result = unpack(archive, folder, most, lambda done, _: told.append(done))
    assert told == sorted(told)
    assert told[-1] >= sum(path.stat().st_size for path in folder.iterdir())
    return result, {path.name: path.read_bytes() for path in sorted(folder.rglob("*"))}


@packers
def test_pictures_and_the_licence_are_kept_with_names_of_their_own(
    archive: Path, pack: Pack
) -> None:
    files = {
        "photos/README.txt": b"read me",
        "photos/LICENSE.txt": b"free",
        "photos/roses/a b.PNG": png(1),
        "photos/tulips/a b.PNG": png(2),
        "run.sh": b"rm -rf /",
    }
    pack(archive, files)
    result, found = unpacked(archive)
    assert result.pictures == 2
    assert found == {
        "000000_roses_a_b.png": png(1),
        "000001_tulips_a_b.png": png(2),
        "LICENSE.txt": b"free",
    }


@packers
def test_names_that_lead_elsewhere_lead_nowhere(archive: Path, pack: Pack) -> None:
    names = ["../../evil.png", "/tmp/evil.png", "a\\..\\..\\evil.png", "new\nline 🎞.png"]
    pack(archive, {name: png() for name in names})
    _, found = unpacked(archive)
    assert len(found) == 4
    assert all(name[:6].isdigit() and name.isascii() and "/" not in name for name in found)
    assert {path.name for path in archive.parent.iterdir()} == {"archive", "out"}


def test_links_and_devices_are_passed_over(archive: Path) -> None:
    with tarfile.open(archive, "w") as tarred:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            info = tarfile.TarInfo(f"{kind.decode()}.png")
            info.type, info.linkname = kind, "/etc/passwd"
            tarred.addfile(info)
    assert unpacked(archive) == (Unpacked(), {})


def test_a_link_in_a_zip_is_passed_over(archive: Path) -> None:
    info = zipfile.ZipInfo("link.png")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr(info, "/etc/passwd")
    assert unpacked(archive) == (Unpacked(), {})


@packers
def test_what_is_no_picture_is_left_out(archive: Path, pack: Pack) -> None:
    pack(archive, {"a.png": png(), "b.png": b"", "c.jpg": b"text", "__MACOSX/._a.png": b""})
    result, found = unpacked(archive)
    assert result.pictures == len(found) == 1
    reasons = {str(each.path): each.reason for each in result.left_out}
    assert reasons == {"b.png": "is empty", "c.jpg": "is not a picture"}


@packers
def test_the_limit_is_for_all_files_together(archive: Path, pack: Pack) -> None:
    pack(archive, {f"{number}.bmp": bytes(300_000) for number in range(4)})
    with pytest.raises(DatasetError, match="more than"):
        unpacked(archive, most=1_000_000)


@packers
def test_a_bomb_is_stopped(archive: Path, pack: Pack) -> None:
    pack(archive, {"a.png": png(), "bomb.bmp": bytes(50_000_000)})
    assert archive.stat().st_size < 100_000
    with pytest.raises(DatasetError, match="more than 977 KiB; see --most-gb"):
        unpacked(archive, most=1_000_000)


@packers
def test_a_byte_beyond_the_limit_is_too_much(archive: Path, pack: Pack) -> None:
    content = png()
    pack(archive, {"a.png": content})
    with pytest.raises(DatasetError, match="more than"):
        unpacked(archive, most=len(content) - 1)


def test_a_damaged_file_in_a_zip_is_left_out(archive: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    Image.fromarray(noise).save(archive.with_suffix(".png"))
    content = archive.with_suffix(".png").read_bytes()
    archive.with_suffix(".png").unlink()
    pack_zip(archive, {"a.png": content, "b.png": png()})
    damaged = bytearray(archive.read_bytes())
    damaged[2000] ^= 255
    archive.write_bytes(damaged)
    result, found = unpacked(archive)
    assert [str(each.path) for each in result.left_out] == ["a.png"]
    assert list(found.values()) == [png()]


def test_a_truncated_tar_is_told(archive: Path) -> None:
    pack_tar(archive, {f"{number}.png": png(number, 64) for number in range(50)})
    archive.write_bytes(archive.read_bytes()[:-400])
    with pytest.raises(Unusable, match="The archive is damaged"):
        unpacked(archive)


def six_in_a_tar(path: Path) -> bytearray:
    """Each picture takes a header and a block; nothing is compressed."""
    with tarfile.open(path, "w") as archive:
        for number in range(6):
            info = tarfile.TarInfo(f"{number}.png")
            info.size = len(png())
            archive.addfile(info, io.BytesIO(png()))
    return bytearray(path.read_bytes())


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda content: content[: 4 * 512], "cut off"),
        (lambda content: content[: 4 * 512 + 100], "cut off"),
        (lambda content: content[:4096] + b"x" * 512 + content[4608:], "no header at byte 4096"),
        (lambda content: content[:4096] + bytes(512) + content[4608:], "more behind its end"),
    ],
)
def test_a_tar_without_its_end_is_told(
    archive: Path, damage: Callable[[bytearray], bytes], reason: str
) -> None:
    archive.write_bytes(damage(six_in_a_tar(archive)))
    with pytest.raises(Unusable, match=f"The archive is damaged: .*{reason}"):
        unpacked(archive)


def test_one_block_is_end_enough(archive: Path) -> None:
    archive.write_bytes(six_in_a_tar(archive)[: 6 * 1024 + 512])
    assert unpacked(archive)[0].pictures == 6


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_a_header_without_measure_is_not_read(archive: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("long")
    info.type, info.size = kind, 40_000_000
    with lzma.open(archive, "wb", preset=0) as file:
        file.write(info.tobuf() + bytes(info.size))
    tracemalloc.start()
    with pytest.raises(Unusable, match="a header has more than 16 KiB"):
        unpacked(archive)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000


def test_the_limit_is_for_all_that_is_decompressed(archive: Path) -> None:
    pack_tar(archive, {"none.bin": bytes(3_000_000), "a.png": png()})
    with pytest.raises(DatasetError, match="more than 977 KiB"):
        unpacked(archive, most=1_000_000)


@packers
def test_long_names_are_shortened(archive: Path, pack: Pack) -> None:
    pack(archive, {f"{'long' * 900}.png": png()})
    assert len(unpacked(archive)[1]) == 1


@packers
def test_every_licence_is_kept(archive: Path, pack: Pack) -> None:
    pack(archive, {"LICENSE": b"free", "fonts/LICENSE": b"as well", "a.png": png()})
    _, found = unpacked(archive)
    assert (found["LICENSE.txt"], found["LICENSE_2.txt"]) == (b"free", b"as well")


def test_a_damaged_licence_takes_no_other_with_it(archive: Path) -> None:
    text = bytes(range(256))
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("LICENSE", b"free")
        zipped.writestr("fonts/LICENSE", text)
    archive.write_bytes(archive.read_bytes().replace(text, text[::-1]))
    result, found = unpacked(archive)
    assert found == {"LICENSE.txt": b"free"}
    assert [str(each.path) for each in result.left_out] == ["fonts/LICENSE"]


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", png()])
def test_what_is_no_archive_is_told(archive: Path, content: bytes) -> None:
    archive.write_bytes(content)
    with pytest.raises(Unusable, match="no zip or tar archive"):
        unpacked(archive)


HUGE, NEGATIVE = b"\x80\0\0\0\x7f" + b"\xff" * 7, b"\xff" * 12  # base 256, as GNU tar has it


@pytest.mark.parametrize("size", [HUGE, NEGATIVE, b"77777777777\0", b"zzzzzzzzzzz\0"])
@pytest.mark.parametrize("kind", [b"0", b"7", b"1", b"5", b"L", b"x", b"S"])
def test_a_size_that_cannot_be_is_a_sentence(archive: Path, kind: bytes, size: bytes) -> None:
    with tarfile.open(archive, "w") as file:
        info = tarfile.TarInfo("a.png")
        info.size = len(png())
        file.addfile(info, io.BytesIO(png()))
    header = bytearray(archive.read_bytes())
    header[124:136], header[156:157] = size, kind
    header[148:156] = b"%06o\0 " % (sum(header[:148]) + 32 * 8 + sum(header[156:512]))
    archive.write_bytes(header)
    with pytest.raises(Unusable, match=r"damaged: \w|no zip or tar archive"):
        unpacked(archive)


@pytest.mark.parametrize(
    ("key", "value"),
    [("size", "9" * 24), ("GNU.sparse.realsize", "9" * 24), ("GNU.sparse.map", "inf")],
)
def test_so_is_one_in_words(archive: Path, key: str, value: str) -> None:
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as file:
        info = tarfile.TarInfo("a.png")
        info.size, info.pax_headers = len(png()), {key: value}
        file.addfile(info, io.BytesIO(png()))
    with pytest.raises(DatasetError, match=r"damaged: \w|holds more than"):
        unpacked(archive)


@pytest.mark.parametrize(
    ("size", "in_64", "told"),
    [(2**31, b"", "2.0"), (2**32 - 1, struct.pack("<4s36xQ8x", b"PK\6\6", 2**32 - 1), "4.0")],
    ids=["32 bits", "64 bits"],
)
def test_a_list_of_files_beyond_measure_is_not_read(
    archive: Path, size: int, in_64: bytes, told: str
) -> None:
    pack_zip(archive, {"a.png": png()})
    content = bytearray(archive.read_bytes())
    place = content.rfind(b"PK\5\6")
    content[place + 12 : place + 16] = struct.pack("<L", size)
    content[place:place] = in_64
    archive.write_bytes(content)
    with pytest.raises(Unusable, match=rf"its list of files has {told} GiB"):
        unpacked(archive)


@packers
def test_no_damage_is_a_traceback(archive: Path, pack: Pack, tmp_path: Path) -> None:
    random_ = random.Random(3)
    pack(archive, {"a.png": png(), "b.png": png(1)})
    whole = archive.read_bytes()
    for number in range(300):
        content = bytearray(whole)
        for _ in range(random_.randint(1, 5)):
            place = random_.randrange(max(0, len(content) - 150), len(content))
            content[place] = random_.choice([0, 255, 127, 128, random_.randrange(256)])
        archive.write_bytes(content)
        folder = tmp_path / str(number)
        folder.mkdir()
        with contextlib.suppress(DatasetError):
            unpack(archive, folder, PLENTY, lambda *_: None)
