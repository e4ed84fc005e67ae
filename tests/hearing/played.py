"""Songs that tests make: clicks and chords on a beat, swung, over noise, in another tempo later."""

from __future__ import annotations

import subprocess
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from multitrain.hearing import spectrum
from render.encoding import ffmpeg

RATE = 44_100  # samples per second

# A minor, F, C, G: in Hz, three notes each.
CHORDS = ((220, 262, 330), (175, 220, 262), (262, 330, 392), (196, 247, 294))


class Played(NamedTuple):
    """`samples`: one channel in -1..1; times in seconds."""

    samples: NDArray[np.float32]
    beats: NDArray[np.float64]
    onsets: NDArray[np.float64]  # beats, and what is between them


def a_song(
    *tempi: float,
    beats: int = 32,
    swing: float = 0.5,
    noise: float = 0.0,
    start: float = 0.3,
    seed: int = 0,
    kit: Sequence[str] = ("kick", "chord", "hat"),
) -> Played:
    """So many `beats` at each tempo, one after the other.

    A kick and, every four beats, a chord on beats, a hat between two: at `swing` of the way. Noise
    is so loud, as a root mean square.
    """
    on, between, now = [], [], start
    for bpm in tempi:
        for _ in range(beats):
            on.append(now)
            between.append(now + swing * 60 / bpm)
            now += 60 / bpm
    random = np.random.default_rng(seed)
    samples = random.standard_normal(round((now + 0.2) * RATE)) * noise
    for number, time in enumerate(on):
        if "kick" in kit:
            _add(samples, time, kick())
        if "click" in kit:
            _add(samples, time, click())
        if "chord" in kit and number % 4 == 0:
            _add(samples, time, chord(CHORDS[number // 4 % 4], 3.5 * 60 / tempi[0]))
    if "hat" in kit:
        for time in between:
            _add(samples, time, hat(random))
    onsets = sorted(on + (between if "hat" in kit else []))
    loudest = np.abs(samples).max()
    return Played((samples / loudest * 0.9).astype(np.float32), np.array(on), np.array(onsets))


def click() -> NDArray[np.float64]:
    """As a metronome's: 2 kHz for some milliseconds."""
    time = np.arange(round(0.03 * RATE)) / RATE
    return np.exp(-time / 0.005) * np.sin(2 * np.pi * 2000 * time)


def kick() -> NDArray[np.float64]:
    """A tone that falls from 160 Hz to 50 Hz, as drum machines make it."""
    time = np.arange(round(0.2 * RATE)) / RATE
    phase = 2 * np.pi * (50 * time + 110 * 0.03 * (1 - np.exp(-time / 0.03)))
    return np.exp(-time / 0.07) * np.sin(phase)


def hat(random: np.random.Generator) -> NDArray[np.float64]:
    time = np.arange(round(0.05 * RATE)) / RATE
    noise = np.diff(random.standard_normal(len(time) + 1))
    return 0.15 * np.exp(-time / 0.012) * noise


def chord(notes: Sequence[float], seconds: float) -> NDArray[np.float64]:
    time = np.arange(round(seconds * RATE)) / RATE
    envelope = np.minimum(time / 0.005, 1) * np.exp(-time / (seconds / 3))
    tones = [np.sin(2 * np.pi * note * k * time) / k for note in notes for k in (1, 2, 3)]
    return 0.15 * envelope * np.sum(tones, axis=0)


def _add(samples: NDArray[np.float64], time: float, sound: NDArray[np.float64]) -> None:
    first = round(time * RATE)
    part = samples[first : first + len(sound)]
    fading = np.minimum(np.arange(len(sound))[::-1] / (0.01 * RATE), 1)  # an end is no beginning
    part += (sound * fading)[: len(part)]


def as_heard(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """At the rate at which songs are heard."""
    frame = AudioFrame.from_ndarray(samples[np.newaxis], format="fltp", layout="mono")
    frame.sample_rate = RATE
    resampler = AudioResampler(format="fltp", layout="mono", rate=spectrum.RATE)
    parts = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([part.to_ndarray()[0] for part in parts])


def write_song(path: Path, samples: NDArray[np.float32]) -> Path:
    """A .wav, or what ffmpeg makes of one, by the suffix."""
    plain = path.with_suffix(".wav")
    with wave.open(str(plain), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    if path != plain:
        how = {".ogg": ["-c:a", "libvorbis"]}.get(path.suffix, [])
        call = [ffmpeg.find(), "-v", "error", "-i", str(plain), *how, str(path)]
        subprocess.run(call, check=True)
    return path
