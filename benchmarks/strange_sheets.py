"""Sheets as nobody should write them, and some as everybody does: strategies for hypothesis."""

from __future__ import annotations

import copy
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from hypothesis import strategies as st
from PIL import Image

from jobs.settings.parsing import cell_text
from jobs.settings.spec import ALTERNATIVES, COLUMNS
from jobs.workspace.paths import Workspace

REQUIRED = (
    *(column for column, field in COLUMNS.items() if field.is_required()),
    *(group[0] for group in ALTERNATIVES),
)
OPTIONAL = tuple(column for column in COLUMNS if column not in REQUIRED)

# A right cell for each column; those that are missing here take the default as text.
RIGHT = {
    "name": "night",
    "dataset": "demo",
    "grid_width": "2",
    "grid_height": "2",
    "video_length": "0.5",
    "batch_size": "4",
    "auto_render_period": "2",
    "render_res": "96x54",
    "activation_g": "relu,tanh",
    "activation_d": "lrelu",
}

STRANGE = (
    "", " ", "nan", "NaN", "inf", "-inf", "1e400", "-1e-400", "1e-9", "9" * 400, "-" + "9" * 30,
    "-0", "0", "00", "1_000", "0x10", "0b1", "1e3", "1.", ".5", "1.5.2", "1,5", "1.000,5", "50%",
    "½", "١٢", "１２", "²", "2024-01-01", "12:30", "1:2:3", "1280x720", "0x0", "99999x99999",
    "1280 × 720", "x", "=1+1", "=HYPERLINK(\"http://example.org\";\"x\")", "+1", "@SUM(A1)",
    "#REF!",
    "True", "yes", "WAHR", "sí", "None", "null", "~", "a" * 255, "ä" * 255, "a" * 70_000,
    "..", "../..", "/", "/etc/passwd", "C:\\x", "con", "a.mp4", "a_timecut0001", "farm.sqlite",
    "pics", "pics,demo", "pics/below", "file", "broken", "empty", "mixed", "demo,demo", ",", ",,",
    "relu,relu,none", "!!python/object/apply:os.system ['true']", "*a", "&a x", "<<", "- x", "{}",
    "[]", "[1, 2]", "{a: b}", "|", ">", "%", "`", "'", '"', '""', 'a"b', '"a" b', "it's",
    "#", "# x",
    ";", "\t", "a\nb", "a\r\nb", "\n", "\r", "\x00", "\x1b[31mred\x1b[0m", "\x07", "\x85", "\u2028",
    "\u202eevil", "\u200b", "\ufeff", "\ufffe", "\ud800", "e\u0301", "é", "日本語", "🦄", "ﬀ",
    "İ", "ß",
)  # fmt: skip

HEADS = (
    "",
    " ",
    "NAME",
    " dataset ",
    "nmae",
    "grid",
    "0",
    "nan",
    "a" * 255,
    "\u202e",
    "naïve",
    "#",
)
ENCODINGS = (
    "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252",
    "mac-roman", "utf-7",
)  # fmt: skip

# What YAML can do beyond tables; each is a file of its own.
HOSTILE_YAML = (
    "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b]\njobs: [*c, *c, *c]\n",
    "jobs: &a\n- *a\n",
    "a: &a\n  <<: *a\njobs: [*a]\n",
    "defaults: &d {<<: *d}\njobs: [*d]\n",
    "jobs:\n- !!python/object/apply:os.system ['true']\n",
    "jobs:\n- !!binary R0lGODlhDAAMAIQAAP\n",
    "jobs: !!set {a, b}\n",
    "jobs:\n- {name: !!timestamp 2024-01-01, dataset: !!float nan, grid_width: !!int 2}\n",
    "jobs:\n- ? [a, b]\n  : c\n- ? {a: b}\n",
    "--- a\n--- b\n",
    "%YAML 9.9\n---\njobs: []\n",
    "%TAG ! tag:example.org:\n---\n!x jobs: []\n",
    "jobs:\n\t- name: a\n",
    "jobs: " + "[" * 3000 + "]" * 3000,
    "jobs:\n" + "".join("  " * depth + "-\n" for depth in range(60)),
    "jobs: [{name: a, name: b, Name: c}]\n",
    "jobs:\n- name: |\n    a\n    b\n  dataset: >-\n    demo\n",
    "jobs:\n- {<<: [{name: a}, {name: b}, c], dataset: [demo, [pics]]}\n",
    "presets: {a: {preset: b}, b: {preset: [a, b]}}\njobs: [{preset: a}]\n",
    "presets: &p {a: *p, slow: {}}\njobs: [{preset: [a, [a]]}]\n",
    "jobs: [{generator: &g {layers: [*g, *g], kernel: [1, 2, 3]}, discriminator: *g}]\n",
    "jobs: [&j {activation_g: &a [*a, {name: *j}, {slope: 1}], generator: *j}]\n",
    "jobs:\n- {name: \"\\x00\\u2028\\uD800\", dataset: demo}\n",
    "jobs:\n- name: *nowhere\n",
    "jobs:\n- name: \"never closed\n",
    "jobs",
    "- a\n- b\n",
    "null\n",
    "---\n...\n---\n",
)  # fmt: skip


@dataclass(frozen=True)
class StrangeSheet:
    """A file: its ending and its bytes; none where it is no file."""

    ending: Literal[".csv", ".yaml", ".YML", ".txt", ""]
    content: bytes | None

    def put(self, folder: Path) -> Path:
        """Lay it down in an empty folder."""
        path = folder / f"sheet{self.ending}"
        if self.content is None:
            path.mkdir()
        else:
            path.write_bytes(self.content)
        return path


def make_data(workspace: Workspace) -> None:
    """The data sets that strange cells name."""
    for name in ("pics", "pics/below", "broken", "empty", "mixed"):
        workspace.dataset(name).mkdir(parents=True)
    workspace.dataset("file").write_text("no folder")
    for number in range(4):
        Image.new("RGB", (8, 6)).save(workspace.dataset("pics") / f"{number}.png")
        Image.new("RGB", (8 + number, 6)).save(workspace.dataset("mixed") / f"{number}.jpg")
    whole = (workspace.dataset("mixed") / "0.jpg").read_bytes()
    for length in (0, 1, 10, len(whole) // 2):
        (workspace.dataset("broken") / f"{length}.jpg").write_bytes(whole[:length])


def right_cell(column: str, row: int) -> str:
    """What a user who has read the reference would write; of no column, something."""
    if column == "name":
        return f"night{row}"
    if column in RIGHT or column not in COLUMNS:
        return RIGHT.get(column, "x")
    return cell_text(column, COLUMNS[column].default)


def headers() -> st.SearchStrategy[list[str]]:
    """The required columns and some more; now and then shuffled, misspelt, doubled, missing."""
    known = st.lists(st.sampled_from(OPTIONAL), max_size=6, unique=True)
    whole = known.map(lambda more: [*REQUIRED, *more])
    heads = st.sampled_from((*COLUMNS, *HEADS)) | st.text(max_size=10)
    broken = whole.flatmap(st.permutations) | st.lists(heads, max_size=8)
    return st.sampled_from((whole, whole, whole, broken)).flatmap(lambda chosen: chosen)


def replaced(draw: st.DrawFn, rows: list[list[Any]], strange: st.SearchStrategy[Any]) -> None:
    """Put something else in the place of a few cells, often of one or none."""
    for _ in range(draw(st.sampled_from((0, 0, 0, 0, 1, 1, 1, 2, 4)))):
        row = draw(st.sampled_from(rows)) if rows else []
        if row:
            row[draw(st.integers(0, len(row) - 1))] = draw(strange)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """A header and rows, now and then a ragged one."""
    header = draw(headers())
    count = draw(st.sampled_from((1, 2, 3, 4, 6, 0)))
    rows = [[right_cell(head, number) for head in header] for number in range(count)]
    replaced(draw, rows, st.sampled_from(STRANGE) | st.text(max_size=20))
    ragged = draw(st.sampled_from((0, 0, 0, 0, -1, 1, 3)))
    if rows and ragged:
        row = draw(st.sampled_from(rows))
        row[:] = row[:ragged] if ragged < 0 else row + ["x"] * ragged
    return [header, *rows]


@st.composite
def csv_texts(draw: st.DrawFn) -> str:
    """A table as text, well quoted or not at all."""
    table = draw(tables())
    separator = draw(st.sampled_from((",", ",", ",", ";", ";", "\t", "|")))
    end = draw(st.sampled_from(("\n", "\n", "\r\n", "\r", "\n\n")))
    if draw(st.sampled_from((True, True, False))):
        written = io.StringIO(newline="")
        csv.writer(written, delimiter=separator, lineterminator=end).writerows(table)
        text = written.getvalue()
    else:
        text = "".join(separator.join(row) + end for row in table)
    first = ("", "", "", "", "", f"sep={separator}\n", "# by hand\n", "\n\n", '""\n')
    last = ("",) * 8 + ('"', "#", "\x1a", ",,,\n")
    return f"{draw(st.sampled_from(first))}{text}{draw(st.sampled_from(last))}"


def values() -> st.SearchStrategy[object]:
    """What a value in YAML may be."""
    plain = st.one_of(
        st.sampled_from(STRANGE), st.none(), st.booleans(), st.integers(), st.floats(), st.dates()
    )
    nested = st.lists(plain, max_size=3) | st.dictionaries(st.text(max_size=3), plain, max_size=2)
    return st.one_of(plain, plain, nested)


@st.composite
def yaml_texts(draw: st.DrawFn) -> str:
    """A sheet whose values are right or anything; sometimes a default, sometimes out of form."""
    columns = draw(headers())
    count = draw(st.sampled_from((1, 2, 3, 4, 0)))
    rows: list[list[object]] = [[right_cell(c, number) for c in columns] for number in range(count)]
    replaced(draw, rows, values())
    jobs = [dict(zip(columns, row, strict=True)) for row in rows]
    sheet: object = draw(
        st.sampled_from(
            (
                *({"jobs": jobs},) * 8,
                {"defaults": {"seed": 1, "fps": "x" * len(columns)}, "jobs": jobs},
                {"defaults": jobs, "jobs": jobs},
                {"jobs": {"a": jobs}},
                jobs,
            )
        )
    )
    try:
        return yaml.safe_dump(
            sheet,
            allow_unicode=draw(st.booleans()),
            default_flow_style=draw(st.sampled_from((None, False, True))),
            sort_keys=False,
        )
    except UnicodeError:  # a lone surrogate
        return repr(sheet)


# A nested sheet that is right, until something else stands somewhere in it.
NESTED: dict[str, Any] = {
    "defaults": {
        "dataset": "demo", "grid_width": 2, "grid_height": 2, "video_length": 0.1,
        "preset": ["plain", "fast"],
        "generator": {"layers": [{"activation": "relu"}, {"kernel": [3, 5]}], "dim": 4},
    },
    "presets": {
        "plain": {"preset": "wild", "discriminator": {"activation": {"name": "elu", "alpha": 2}}},
        "wild": {"loss": {"name": "wgan-gp", "weight": 5}, "activation_g": ["tanh", "sine(2)"]},
    },
    "jobs": [
        {"name": "a", "preset": "wild", "generator": {"layers": 3, "stride": [1, 2]}},
        {
            "name": "b",
            "discriminator": {
                "kernel": 3,
                "layers": [{"filters": 2, "noise": 0.1}, {"filters": 4, "stride": 1}, {}],
            },
            "interpolate": {"a": None, "b": None, "alpha": 0.5},
        },
    ],
}  # fmt: skip


def places(tree: object) -> Iterator[tuple[Any, Any]]:
    """Every mapping or list of a tree with each of its keys or indices."""
    entries = tree.items() if isinstance(tree, dict) else ()
    for key, value in enumerate(tree) if isinstance(tree, list) else entries:
        yield tree, key
        yield from places(value)


@st.composite
def nested_texts(draw: st.DrawFn) -> str:
    """Presets, networks and layers; other parts of the sheet, or anything, in a few places.

    A part that stands in two places becomes an alias, which may lead back to where it stands.
    """
    sheet = copy.deepcopy(NESTED)
    found = list(places(sheet))
    parts = [holder[key] for holder, key in found]
    keys = sorted({key for _, key in found if isinstance(key, str)})
    anything = values() | st.sampled_from(parts)
    for _ in range(draw(st.sampled_from((0, 1, 1, 2, 4)))):
        holder, key = draw(st.sampled_from(found))
        if isinstance(holder, dict) and draw(st.booleans()):
            key = draw(st.sampled_from((*keys, *COLUMNS)) | st.text(max_size=5))
        holder[key] = draw(anything)
    try:
        return yaml.safe_dump(sheet, default_flow_style=draw(st.sampled_from((None, False, True))))
    except UnicodeError:  # a lone surrogate
        return repr(sheet)


@st.composite
def contents(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> bytes:
    """Text in some encoding, whole or not."""
    text = draw(texts)
    encoding = draw(st.sampled_from(("utf-8",) * 20 + ENCODINGS))
    errors = "surrogatepass" if encoding.startswith("utf") and encoding != "utf-7" else "replace"
    content = text.encode(encoding, errors)
    if draw(st.sampled_from((False,) * 7 + (True,))):
        place = draw(st.integers(0, len(content)))
        broken = draw(st.one_of(st.binary(max_size=4), st.sampled_from((b"\x00", b'"', b"\xff"))))
        content = content[:place] + broken + draw(st.sampled_from((content[place:], b"")))
    return content


def strange_sheets() -> st.SearchStrategy[StrangeSheet]:
    """CSV and YAML in equal parts, then files that are neither."""
    ends_csv, ends_yaml = st.sampled_from((".csv", ".txt", "")), st.sampled_from((".yaml", ".YML"))
    endings = st.sampled_from((".csv", ".yaml"))
    sheets = {
        "csv": st.builds(StrangeSheet, ends_csv, contents(csv_texts())),
        "yaml": st.builds(StrangeSheet, ends_yaml, contents(yaml_texts())),
        "nested": st.builds(StrangeSheet, ends_yaml, contents(nested_texts())),
        "hostile": st.builds(StrangeSheet, ends_yaml, contents(st.sampled_from(HOSTILE_YAML))),
        "bytes": st.builds(
            StrangeSheet, endings, st.binary(max_size=200) | st.just(b"PK\x03\x04x")
        ),
        "text": st.builds(StrangeSheet, endings, contents(st.text(max_size=200))),
        "none": st.builds(StrangeSheet, endings, st.sampled_from((None, b"", b"\xff\xfe", b" \n"))),
    }
    kinds = (
        ("csv",) * 6
        + ("yaml",) * 4
        + ("nested",) * 4
        + ("hostile", "hostile", "bytes", "text", "text", "none")
    )
    return st.sampled_from(kinds).flatmap(lambda kind: sheets[kind])
