"""A bundle as an OCI image layout of a CNCF ModelPack, for registries. Written beside the ZIP, on request.

Each file of the bag is one raw layer, by its own bytes and with its path as an annotation: after a pull the bag is the
same, and both signatures hold. Nothing new is said; name, version and provider are those of `bundle.json`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from configs import errors
from configs.receivers import register
from evidence import storage
from tef_export import archive, contents, manifest

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"


def write(bundle: Path, destination: Path) -> str:
    """Write the layout; the digest of its manifest, `sha256:…`. The same bundle gives the same bytes.

    Args:
        bundle: The ZIP file of a bundle that has been verified.
        destination: Folder of the layout; it must not exist.

    Raises:
        PlanError: The folder exists.
        StorageError: There is no room for it.
        VerificationError: The archive is none of this format.
    """
    if destination.exists():
        raise errors.PlanError(f"OCI layout {destination}: expected no such folder, got one. Choose another name.")
    listing = archive.inspect(bundle)
    with storage.explained(f"OCI layout {destination}"):
        destination.parent.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(dir=destination.parent, prefix=f".{destination.name}."))
        try:
            digest = _write(bundle, listing, place)
            place.chmod(0o755)
            place.replace(destination)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
    return digest


def _write(bundle: Path, listing: archive.Listing, place: Path) -> str:
    known = register.load()["modelpack"].values
    blobs = place / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    layers, index = [], None
    with zipfile.ZipFile(bundle) as opened:
        for one in listing.entries:
            with opened.open(f"{listing.top}/{one.path}") as reader:
                digest, size = _copy(reader, blobs)
            if one.path == manifest.PLACE:
                index = manifest.parse((blobs / digest).read_bytes())
            kind = known["weight_type" if one.path == contents.MODEL else "document_type"]
            annotations = {known["path_annotation"]: one.path}
            layers.append({"mediaType": kind, "digest": f"sha256:{digest}", "size": size, "annotations": annotations})
    if index is None:
        raise errors.VerificationError(f"bundle {bundle.name}: expected {manifest.PLACE} in it, got none.")
    config = _put(blobs, _config(index, [layer["digest"] for layer in layers]))
    described = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "artifactType": known["artifact_type"],
        "config": {"mediaType": known["config_type"], **config},
        "layers": layers,
    }
    found = _put(blobs, described)
    entry = {
        "mediaType": MANIFEST_TYPE,
        "artifactType": known["artifact_type"],
        **found,
        "annotations": {"org.opencontainers.image.ref.name": index.system.version},
    }
    (place / "index.json").write_bytes(_bytes({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [entry]}))
    (place / "oci-layout").write_bytes(_bytes({"imageLayoutVersion": "1.0.0"}))
    return str(found["digest"])


def _config(index: manifest.BundleManifest, layers: list[str]) -> dict[str, Any]:
    return {
        "descriptor": {
            "createdAt": index.created,
            "name": index.system.id,
            "version": index.system.version,
            "revision": index.bundle_id,
            "vendor": index.system.provider,
            "title": index.system.name,
            "description": index.system.intended_purpose,
        },
        "config": {"format": "onnx", "precision": "float32"},
        "modelfs": {"type": "layers", "diffIds": layers},
    }


def _copy(reader: Any, blobs: Path) -> tuple[str, int]:
    """Write a blob under its digest while it is read."""
    digest, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(dir=blobs, delete=False) as writer:
        while piece := reader.read(archive.CHUNK):
            digest.update(piece)
            size += writer.write(piece)
    place = Path(writer.name)
    place.chmod(0o644)
    place.replace(blobs / digest.hexdigest())
    return digest.hexdigest(), size


def _put(blobs: Path, content: dict[str, Any]) -> dict[str, Any]:
    """Write a JSON blob; digest and size of its descriptor."""
    data = _bytes(content)
    digest = hashlib.sha256(data).hexdigest()
    (blobs / digest).write_bytes(data)
    return {"digest": f"sha256:{digest}", "size": len(data)}


def _bytes(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, ensure_ascii=False).encode("utf-8") + b"\n"
