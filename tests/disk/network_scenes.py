"""A network written in every format, as a scene."""

from __future__ import annotations

from jobs.workspace.paths import Workspace


def an_older_file(workspace: Workspace) -> None:
    """Of each kind of place, a file and a folder, which is replaced."""
    (workspace.root / "network.keras").write_bytes(b"older")
    older = workspace.root / "network_savedmodel"
    older.mkdir()
    (older / "saved_model.pb").write_bytes(b"older")


def take_away(workspace: Workspace) -> None:
    """A layer of one weight."""
    import keras

    from multitrain.portable.asked import LATENTS, MADE
    from multitrain.portable.formats import NAMES
    from multitrain.portable.writing import write

    given = keras.Input((1,), name=LATENTS)
    network = keras.Model(given, keras.layers.Dense(1, use_bias=False, name=MADE)(given))
    for form in NAMES:
        ending = "_savedmodel" if form == "savedmodel" else f".{form}"
        write(form, network, "in: one, out: one", workspace.root / f"network{ending}")
