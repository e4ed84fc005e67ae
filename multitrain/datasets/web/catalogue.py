"""Collections of pictures that may be used freely, with their addresses and checksums."""

from __future__ import annotations

from typing import NamedTuple


class Source(NamedTuple):
    """An archive somewhere."""

    address: str
    checksum: str | None = None  # `sha256:` or `md5:` and the digest, hexadecimal; None: not known
    licence: str = "not known"
    about: str = ""
    archive_bytes: int | None = None


# Only collections under a free licence whose checksum their makers or others have published.
COLLECTIONS = {
    "flowers": Source(
        "https://storage.googleapis.com/download.tensorflow.org/example_images/flower_photos.tgz",
        "sha256:4c54ace7911aaffe13a365c34f650e71dd5bf1be0a58b464e5a7183e3e595d9c",
        "CC BY 2.0, photographers in LICENSE.txt",
        "3,670 photos of daisies, dandelions, roses, sunflowers, tulips; many sizes",
        228_813_984,
    ),
    "satellite": Source(
        "https://zenodo.org/records/7711810/files/EuroSAT_RGB.zip",
        "md5:f46e308c4d50d4bf32fedad2d3d62f3b",
        "MIT, P. Helber and others: EuroSAT",
        "27,000 fields, forests, rivers, towns from Sentinel-2; 64x64",
        94_658_721,
    ),
    "tissue": Source(
        "https://zenodo.org/records/53169/files/Kather_texture_2016_image_tiles_5000.zip",
        "sha256:936d0b95ae0f04f1f7b18a2b7e8c55776c3e887d102f645bcee752d1a6626a32",
        "CC BY 4.0, J. N. Kather and others",
        "5,000 pieces of stained tissue under a microscope; 150x150",
        258_098_431,
    ),
    "tissue-wide": Source(
        "https://zenodo.org/records/53169/files/Kather_texture_2016_larger_images_10.zip",
        "sha256:77336ba5a71d2d5140a10376bd432cd0cbbcc71cf81936ca9826ad1189ae438b",
        "CC BY 4.0, J. N. Kather and others",
        "10 large pictures of the same, to be cut with `dataset tile`; 5000x5000",
        742_020_106,
    ),
}
