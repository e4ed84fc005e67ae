"""What is heard in a song: all that a walk needs of it, by the second."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jobs.errors import UsageError
from jobs.settings.songs import SongSettings, TempoRange
from multitrain.hearing import beats as beat
from multitrain.hearing.listening import samples_of
from multitrain.hearing.onsets import Times, onsets_of
from multitrain.hearing.sections import sections_of
from multitrain.hearing.spectrum import HOP, RATE, Floats, loudness_of, spectrum_of

DEEP = 4.0  # times that a rise of bass counts, where beats are looked for: narrow, but danced to
LOUD = 98  # per cent of all hops are quieter than loud ones
RANGE, BAND_RANGE = 30.0, 20.0  # decibels below loud ones, from which on nothing counts
SILENT = -70.0  # decibels of full scale: a song that has nothing louder is silence


@dataclass(frozen=True, eq=False)
class Heard:
    """Times are in seconds from the beginning of the song; levels are per hop (`HOPS`), 0 to 1."""

    seconds: float
    onsets: Times
    beats: Times  # from the beginning to the end
    tempo: NDArray[np.float64]  # beats per minute around each beat
    sections: Times  # beats at which a section begins that sounds other than the one before
    loudness: Floats  # (n,): 1 where it is loud, 0 where it is 30 dB less
    bands: Floats  # (n, 3): of bass, mids and highs, each beside itself
    waveform: Floats  # (n, 2): the lowest and the highest sample

    @property
    def told(self) -> str:
        """For people."""
        if not len(self.onsets):
            return f"{self.seconds:.1f} s in which nothing begins"
        low, high = np.percentile(self.tempo, [10, 90])
        tempo = f"{np.median(self.tempo):.1f}" if high < 1.01 * low else f"{low:.1f} to {high:.1f}"
        count = len(self.sections) + 1
        parts = f"{count} section{'s' * (count > 1)}"
        return f"{self.seconds:.1f} s at {tempo} BPM, {len(self.onsets)} onsets, {parts}"


def hear(song: SongSettings) -> Heard:
    """Listen to a whole song, at the tempo that the settings give, if any.

    What was heard last is remembered. UsageError where the song cannot be decoded.
    """
    path = song.file.absolute()
    try:
        state = path.stat()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    return _remembered(path, (state.st_size, state.st_mtime_ns), song.bpm, song.tempi)


@lru_cache(2)
def _remembered(
    path: Path, _: tuple[int, int], bpm: float | None, tempi: TempoRange | None
) -> Heard:
    return heard_in(samples_of(path), bpm, tempi)


def heard_in(samples: Floats, bpm: float | None = None, tempi: TempoRange | None = None) -> Heard:
    """What is heard in `(samples,)`, `RATE` a second. Pure."""
    spectrum = spectrum_of(samples)
    onsets = onsets_of(samples, spectrum.flux)
    flux = spectrum.flux + DEEP * spectrum.deep_flux
    beats = beat.beats_of(flux, onsets, *_tempi(bpm, tempi))
    levels = loudness_of(np.concatenate([spectrum.power.sum(axis=1)[:, None], spectrum.power], 1))
    return Heard(
        seconds=len(samples) / RATE,
        onsets=onsets,
        beats=beats,
        tempo=beat.tempo_at(beats),
        sections=sections_of(beats, spectrum.bands),
        loudness=_level(levels[:, 0], RANGE),
        bands=np.stack([_level(each, BAND_RANGE) for each in levels[:, 1:].T], axis=1),
        waveform=_waveform(samples, len(levels)),
    )


def _tempi(bpm: float | None, tempi: TempoRange | None) -> tuple[TempoRange, float, float]:
    """The tempi that are possible, the most likely one, and by how many octaves others miss it."""
    if bpm is not None:
        return TempoRange(bpm / beat.GIVEN, bpm * beat.GIVEN), bpm, beat.GIVEN_OCTAVES
    if tempi is None:
        return beat.ANY_TEMPO, beat.USUAL, beat.OCTAVES
    middle = float(np.sqrt(tempi.least * tempi.most))
    return tempi, middle, beat.OCTAVES


def _level(decibels: Floats, below: float) -> Floats:
    loud = float(np.percentile(decibels, LOUD))
    if loud < SILENT:
        return np.zeros_like(decibels)
    level: Floats = np.clip(1 + (decibels - loud) / below, 0, 1).astype(np.float32)
    return level


def _waveform(samples: Floats, hops: int) -> Floats:
    padded = np.pad(samples, (0, hops * HOP - len(samples))).reshape(hops, HOP)
    return np.stack([padded.min(axis=1), padded.max(axis=1)], axis=1)
