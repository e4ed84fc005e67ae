"""Pictures out of archives: hostile names, links, bombs, damage."""

from __future__ import annotations

import io
import lzma
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
