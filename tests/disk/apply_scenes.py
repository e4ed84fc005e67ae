"""Pictures and a video made by a network that makes pictures into pictures, as scenes."""

from __future__ import annotations

from functools import partial

from PIL import Image

from jobs.settings.spec import JobSpec
from jobs.tinkering.earlier_jobs import past_job
from jobs.workspace.jobfile import JobFile
from jobs.workspace.paths import Workspace
from multitrain.applying.asked import Asked
from multitrain.applying.making import Networks, make_pictures, make_video
from multitrain.applying.measuring import save_difference
from multitrain.applying.planning import Picture, VideoPlan
from multitrain.engine.session import SessionSettings
from multitrain.inference.network import Device
from render.files.film import Film
from tests.applying.weights import keep_weights, noise
from tests.footage import write_video

SIZE = (48, 36)


def a_network(workspace: Workspace) -> None:
    """And a film of three frames and a picture to use it on."""
    spec = JobSpec(
        name="job", family="pix2pix", dataset="d", grid_width=1, grid_height=1, steps=4, gf_dim=1,
        df_dim=1, downs=1, batch_size=4, preset="ultrafast",
    )  # fmt: skip
    keep_weights(workspace, JobFile(spec=spec, image_width=SIZE[0], image_height=SIZE[1]))
    write_video(workspace.root / "film.mkv", iter(noise(3, *SIZE[::-1], 3)), fps=1)
    Image.fromarray(noise(*SIZE[::-1], 3)).save(workspace.root / "picture.png")


def apply(workspace: Workspace) -> None:
    """In two pieces, between which statistics go on; and a picture, in a new folder."""
    asked = Asked(workspace, past_job(workspace, "job"), steady=1)
    film, moments = Film.look(workspace.root / "film.mkv"), asked.moments()
    networks = Networks(asked, Device(asked.job, SessionSettings()))
    course = asked.course(moments, film.frames)
    plan = VideoPlan.of(asked, course, film, "h264", workspace.applying / "digest")
    network = partial(networks.following, course, plan.size, plan.share)
    make_video(plan, workspace.root / "made.mp4", "multitrain 0", network, lambda _: None)
    source, target = workspace.root / "picture.png", workspace.root / "made" / "picture.png"
    picture = Picture.of(asked, 0, source, target, "multitrain 1")
    assert list(make_pictures(asked, course, [picture], networks)) == [None]


def compare(workspace: Workspace) -> None:
    """What a network made and what was wanted, as `evaluate --diff` shows them."""
    made, wanted = noise(2, *SIZE[::-1], 3)
    save_difference(workspace.root / "differences" / "picture.png", made, wanted)
