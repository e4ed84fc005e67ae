"""Plain networks as files that exist only whole, each with a text on what goes in and comes out."""

from __future__ import annotations

import errno
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import keras
import tensorflow as tf

from jobs.errors import MultitrainError
from jobs.workspace.disk import means_full
from jobs.workspace.files import flush_to_disk, publish, remove
from multitrain.portable.asked import MADE
from multitrain.portable.formats import Format
from render.files.claims import claimed

NOTE = "README.txt"  # in folders, and in .keras, which is a zip file
ATTRIBUTE = "about"  # of .h5, and of ONNX' metadata
AXES = ("n", "height", "width")  # where they are free
OPSET = 18  # of ONNX: what its runtimes have known since 2023


def write(form: Format, network: keras.Model, about: str, output: Path) -> None:
    """Write `network`; replaces `output`, which appears whole or not at all.

    MultitrainError where it cannot be written, or another process is about to; OSError where it
    cannot be put in its place.
    """
    with claimed(output) as part:
        part.mkdir()  # Keras goes by the ending of a name, which a temporary file has not
        try:
            made = _WRITERS[form](network, about, part)
        except (OSError, RuntimeError, tf.errors.OpError) as error:  # the second by HDF5
            # Whose words name temporary files, over several lines.
            reason = os.strerror(errno.ENOSPC) if means_full(error) else str(error)
            raise MultitrainError(f"{output} cannot be written: {reason}") from error
        for folder, _, names in os.walk(made):
            for name in names:
                flush_to_disk(Path(folder, name))
        if output.is_dir():
            remove(output)  # a folder that is not empty cannot be replaced in one step
        publish(made, output)


def _keras(network: keras.Model, about: str, folder: Path) -> Path:
    path = folder / "network.keras"
    network.save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(NOTE, about)
    return path


def _h5(network: keras.Model, about: str, folder: Path) -> Path:
    path = folder / "network.h5"
    network.save(path)
    with h5py.File(path, "r+") as file:
        file.attrs[ATTRIBUTE] = about
    return path


def _saved_model(network: keras.Model, about: str, folder: Path) -> Path:
    network.export(folder, format="tf_saved_model", verbose=False)
    (folder / NOTE).write_text(about, encoding="utf-8")
    return folder


def _onnx(network: keras.Model, about: str, folder: Path) -> Path:
    import onnx
    import tf2onnx

    (given,) = network.inputs
    signature = [tf.TensorSpec(given.shape, given.dtype, given.name)]
    compute = tf.function(
        lambda values: {MADE: network(values, training=False)}, input_signature=signature
    )
    model, _ = tf2onnx.convert.from_function(compute, signature, opset=OPSET)
    for each in (*model.graph.input, *model.graph.output):
        for name, side in zip(AXES, each.type.tensor_type.shape.dim, strict=False):
            if not side.dim_value:
                side.dim_param = name
    model.doc_string = about
    onnx.helper.set_model_props(model, {ATTRIBUTE: about})
    path = folder / "network.onnx"
    path.write_bytes(model.SerializeToString())
    return path


_WRITERS: dict[Format, Callable[[keras.Model, str, Path], Path]] = {
    "keras": _keras,
    "h5": _h5,
    "savedmodel": _saved_model,
    "onnx": _onnx,
}
