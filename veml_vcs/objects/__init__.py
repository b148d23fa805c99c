"""Bytes in, id out: the object stores, and what stands right on them.

``ZarrStore`` is in ``veml_vcs.objects.zarr_store``: importing zarr takes a third of a second.
"""

from veml_vcs.objects.files import Files
from veml_vcs.objects.local import LocalObjectStore
from veml_vcs.objects.lock import FileLock
from veml_vcs.objects.manifest import Manifest, ManifestValue, decode_manifest, encode_manifest
from veml_vcs.objects.memory import MemoryObjectStore
from veml_vcs.objects.open_file import Observer, OpenFile
from veml_vcs.objects.protocol import ObjectKind, ObjectReader, ObjectStore, ObjectWriter
from veml_vcs.objects.verify import Problem

__all__ = [
    "FileLock",
    "Files",
    "LocalObjectStore",
    "Manifest",
    "ManifestValue",
    "MemoryObjectStore",
    "ObjectKind",
    "ObjectReader",
    "ObjectStore",
    "ObjectWriter",
    "Observer",
    "OpenFile",
    "Problem",
    "decode_manifest",
    "encode_manifest",
]
