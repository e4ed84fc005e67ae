"""Every line of the project that writes to a disk, found in its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tests.disk.full_disk import NOT_WRITING, PROJECT, ROOMS, Place

# Calls by the whole name, and by the last part of it. What only renames or removes needs room too,
# on some file systems; what only removes is left out: no rule of ours depends on it.
NAMES = {
    *("os.write", "os.pwrite", "os.fsync", "os.replace", "os.rename", "os.link", "os.symlink"),
    *("os.mkdir", "os.makedirs", "os.truncate", "os.ftruncate", "shutil.copy", "shutil.copyfile"),
    *("shutil.copytree", "shutil.move", "tempfile.TemporaryFile", "tempfile.TemporaryDirectory"),
    *("tempfile.NamedTemporaryFile", "tempfile.mkstemp", "tempfile.mkdtemp", "_returncode"),
}
METHODS = {"write_text", "write_bytes", "writelines", "write", "touch", "mkdir", "executemany"}
FLAGS = {"O_CREAT", "O_TRUNC", "O_APPEND", "O_WRONLY", "O_RDWR"}


@dataclass(frozen=True, order=True)
class Site:
    """A call that writes: where it begins and ends, and how it reads, for people."""

    file: str
    first: int
    last: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.first}: {self.text}"

    @property
    def key(self) -> str:
        """Its file and what is called: outlives changes in the lines around it."""
        return f"{self.file}: {self.text.partition('(')[0]}"

    def holds(self, place: Place) -> bool:
        return self.file == place.file and self.first <= place.line <= self.last


def all_sites() -> list[Site]:
    """Those of the three rooms, in their order."""
    files = [path for room in ROOMS for path in (PROJECT / room).rglob("*.py")]
    return sorted(
        site
        for path in files
        for site in sites_in(str(path.relative_to(PROJECT)), path.read_text(encoding="utf-8"))
    )


def sites_in(file: str, source: str) -> Iterator[Site]:
    """The calls in this source that write."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _writes(node):
            text = " ".join(ast.unparse(node).split())
            yield Site(file, node.lineno, node.end_lineno or node.lineno, text)


def _writes(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    last = name.rpartition(".")[2]
    if name in NAMES or ("." in name and last in METHODS):
        return True
    if name == "os.open":
        return any(flag in ast.unparse(call) for flag in FLAGS)
    if name == "h5py.File" or last == "open":
        return any(_is_writing_mode(argument) for argument in _arguments(call))
    if last == "execute":
        return not _text(call.args[0]).startswith(NOT_WRITING)
    if last == "save":  # of a picture: it has a format or an explicit file, and no `self`
        return name.startswith("image.") or name.startswith("Image.")
    return False


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]


def _is_writing_mode(argument: ast.expr) -> bool:
    text = _text(argument)
    return 0 < len(text) <= 4 and set(text) <= set("rwaxbt+") and bool(set(text) & set("wax+"))


def _text(argument: ast.expr) -> str:
    """The beginning of a string; empty for anything else."""
    if isinstance(argument, ast.JoinedStr):
        argument = argument.values[0]
    return str(argument.value) if isinstance(argument, ast.Constant) else ""
