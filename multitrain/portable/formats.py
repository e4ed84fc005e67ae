"""The kinds of files that a trained network can be taken away in."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from jobs.errors import UsageError, how_to_install
from jobs.workspace.files import listing

Format = Literal["keras", "h5", "savedmodel", "onnx"]
SAVED_MODEL = "saved_model.pb"  # what makes a folder one of TensorFlow's
EXTRA = ("onnx", "tf2onnx")  # modules that the extra `onnx` installs


class Kind(NamedTuple):
    """`suffix` of its files, empty for a folder; what it is called; whether Keras' layers are all
    that it holds.
    """

    suffix: str
    title: str
    layers_alone: bool = False


FORMATS: dict[Format, Kind] = {
    "keras": Kind(".keras", "Keras 3"),
    "h5": Kind(".h5", "the older file of Keras", layers_alone=True),
    "savedmodel": Kind("", "TensorFlow's SavedModel"),
    "onnx": Kind(".onnx", "ONNX"),
}


def format_for(name: Format | None, output: Path | None) -> Format:
    """The one that is named, else that of the output's suffix, else the first."""
    if name:
        return name
    suffix = output.suffix.casefold() if output else ""
    return next((each for each, kind in FORMATS.items() if kind.suffix == suffix != ""), "keras")


def check_installed(name: Format) -> None:
    """UsageError where what writes it is missing."""
    if name == "onnx" and not all(map(find_spec, EXTRA)):
        raise UsageError(f"--format onnx needs the extra onnx: {how_to_install('onnx')}")


def output_for(name: Format, output: Path | None, stem: str, renders: Path, *, force: bool) -> Path:
    """Where to write: by default in the current folder, under a name that begins with `stem`.

    UsageError where a file cannot or should not be written there. A folder is replaced only where
    it is what this format makes.
    """
    suffix = FORMATS[name].suffix
    path = output or Path(f"{stem}{suffix or '_savedmodel'}")
    if suffix and path.suffix.casefold() != suffix:
        raise UsageError(f"{path} must end in {suffix}, as {name} does; or name another --format")
    if not suffix and path.suffix.casefold() in {kind.suffix for kind in FORMATS.values()} - {""}:
        raise UsageError(f"{path} would be a folder, as {name} is; or name another --format")
    if path.absolute().parent == renders.absolute():
        raise UsageError(f"{path}: renders/ is for what jobs make; name another folder")
    if path.exists() and not force:
        raise UsageError(f"{path} is there already; give another name, or --force to replace it")
    if path.exists() and (path.is_dir() == bool(suffix) or not (suffix or _is_saved_model(path))):
        raise UsageError(f"{path} is in the way: it is not what {name} makes")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.absolute().parent}")
    return path


def _is_saved_model(folder: Path) -> bool:
    return SAVED_MODEL in listing(folder)


NAMES: tuple[Format, ...] = get_args(Format)
