"""`multitrain codec info`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from jobs.errors import ExitCode, UsageError
from jobs.units import bytes_for_people
from multitrain.commands.datasets.common import json_option


@click.command("info")
@click.argument("stream", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
@click.pass_context
def command(context: click.Context, stream: Path, as_json: bool) -> None:
    """Tell what is in STREAM, and how many bytes of it are what; nothing is decoded."""
    from multitrain.codec.files import look
    from multitrain.codec.stream import Kind

    if not stream.is_file():
        raise UsageError(f"{stream} is no file; write it to one first")
    found = look(stream)
    facts, spec = found.facts, found.facts.job.spec
    frames, keys, seconds = found.frames, found.packets[Kind.KEY], found.frames / facts.fps
    by_part = {
        "header": found.bytes[None],
        **{kind.name.lower(): found.bytes[kind] for kind in Kind},
    }
    if as_json:
        told = {
            "job": spec.name,
            "net": spec.net,
            "size": str(facts.size),
            "fps": float(facts.fps),
            "frames": frames,
            "key_frames": keys,
            "channels": facts.channels,
            "models": len(found.models),
            "bytes": by_part,
            "bytes_per_frame": found.bytes_per_frame,
            "ratio": found.ratio,
            "troubles": found.troubles,
        }
        click.echo(json.dumps(told, indent=2))
    else:
        sent = facts.sent
        click.echo(
            f"{stream}: {frames} frames of {facts.size} at {float(facts.fps):g} fps, "
            f"{float(seconds):.3f} s, by {spec.name} ({spec.net}), {keys} of them key frames, "
            f"latents of {sent.width}x{sent.height}x{sent.channels}"
        )
        for part, size in by_part.items():
            if size:
                click.echo(f"  {part:<8} {bytes_for_people(size):>10}")
        if frames:
            click.echo(
                f"{found.bytes_per_frame:,.0f} bytes a frame, {found.ratio:.1f} times smaller than "
                "frames as they are"
            )
        for each in found.troubles:
            click.echo(f"note: {each}", err=True)
    if found.troubles:
        context.exit(ExitCode.FAILED)
