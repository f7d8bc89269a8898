"""The BagIt 1.0 layout (RFC 8493): payload under `data/`, and two manifests that `sha256sum -c` can check.

A bag says that nothing was lost on the way; it says nothing about who made it. That is what the signatures are for.
"""

from __future__ import annotations

import re

from configs import errors

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
TAG_FILES = ("bag-info.txt", "bagit.txt", MANIFEST)
"""The tag files that the tag manifest lists. The signatures come later and are not among them."""
PROFILE_IDENTIFIER = "urn:proofline:bagit-profile:1"
"""Of `bagit_profile.json` beside this module, by which public tools check which tag files there may be."""
FIELDS = (
    "BagIt-Profile-Identifier", "Source-Organization", "External-Identifier", "External-Description", "Bagging-Date",
    "Bag-Software-Agent", "Payload-Oxum",
)  # fmt: skip
"""Of `bag-info.txt`, in their order; the profile asks for the same."""
_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._/-]+)")


def manifest(digests: dict[str, str]) -> bytes:
    """Manifest text: digest, two spaces, path; sorted by path."""
    return "".join(f"{digests[path]}  {path}\n" for path in sorted(digests)).encode("ascii")


def bag_info(fields: dict[str, str], sizes: list[int]) -> bytes:
    """`bag-info.txt`: one line for each field, and the payload's size and number of files."""
    lines = {**fields, "Payload-Oxum": f"{sum(sizes)}.{len(sizes)}"}
    return "".join(f"{name}: {' '.join(value.split())}\n" for name, value in lines.items()).encode("utf-8")


def check(tags: dict[str, bytes], found: dict[str, str], sizes: dict[str, int]) -> None:
    """Check that the bag is complete and valid.

    Args:
        tags: Content of `bagit.txt`, `bag-info.txt` and both manifests.
        found: Path to SHA-256 of every file of the bundle.
        sizes: Path to size in bytes.

    Raises:
        VerificationError: A manifest does not fit the files.
    """
    missing = [name for name in (*TAG_FILES, TAG_MANIFEST) if name not in tags]
    if missing:
        raise errors.VerificationError(f"bag: expected the tag file {missing[0]}, got none. Do not use the bundle.")
    if tags["bagit.txt"] != DECLARATION:
        raise errors.VerificationError("bag, bagit.txt: expected BagIt 1.0 in UTF-8, got something else.")
    payload = {path: digest for path, digest in found.items() if path.startswith("data/")}
    _compare(_parse(tags[MANIFEST], MANIFEST), payload, MANIFEST)
    _compare(_parse(tags[TAG_MANIFEST], TAG_MANIFEST), {name: found[name] for name in TAG_FILES}, TAG_MANIFEST)
    info = fields(tags["bag-info.txt"])
    if info.get("BagIt-Profile-Identifier") != PROFILE_IDENTIFIER:
        raise errors.VerificationError(
            f"bag, bag-info.txt: expected the profile {PROFILE_IDENTIFIER}, got "
            f"{str(info.get('BagIt-Profile-Identifier'))[:80]}. Do not use the bundle."
        )
    expected = f"{sum(sizes[path] for path in payload)}.{len(payload)}"
    if info.get("Payload-Oxum") != expected:
        raise errors.VerificationError(
            f"bag, bag-info.txt: expected Payload-Oxum {expected}, got {info.get('Payload-Oxum')}. "
            "Do not use the bundle."
        )
    if tuple(info) != FIELDS:
        raise errors.VerificationError(
            f"bag, bag-info.txt: expected the fields {', '.join(FIELDS)}, got {', '.join(info)[:200]}. "
            "Do not use the bundle."
        )
    written = {name: value for name, value in info.items() if name != "Payload-Oxum"}
    if tags["bag-info.txt"] != bag_info(written, [sizes[path] for path in payload]):
        raise errors.VerificationError(
            "bag, bag-info.txt: expected each field on one line, words one space apart, got another way of writing. "
            "Do not use the bundle."
        )


def fields(content: bytes) -> dict[str, str]:
    """The fields of `bag-info.txt`.

    Raises:
        VerificationError: A line is no field, or a field stands twice.
    """
    found: dict[str, str] = {}
    try:
        lines = content.decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError:
        raise errors.VerificationError("bag, bag-info.txt: expected UTF-8 text, got something else.") from None
    for line in lines:
        name, separator, value = line.partition(": ")
        if not separator or name in found:
            raise errors.VerificationError(f"bag, bag-info.txt: expected each field once, got '{line[:80]}'.")
        found[name] = value
    return found


def _parse(content: bytes, name: str) -> dict[str, str]:
    entries: dict[str, str] = {}
    lines = content.decode("ascii", errors="replace").split("\n")
    for number, line in enumerate(lines[:-1], start=1):
        match = _LINE.fullmatch(line)
        path = match[2] if match else ""
        if match is None or ".." in path.split("/") or path.startswith("/") or path in entries:
            raise errors.VerificationError(
                f"bag, {name} line {number}: expected a SHA-256, two spaces and a path inside the bundle, once, got "
                f"'{line[:120]}'. Do not use the bundle."
            )
        entries[path] = match[1]
    if lines[-1]:
        raise errors.VerificationError(f"bag, {name}: expected a line end at the end, got none: it was cut off.")
    return entries


def _compare(listed: dict[str, str], found: dict[str, str], name: str) -> None:
    for path in sorted(listed.keys() ^ found.keys()):
        got = "not in the bundle" if path in listed else "not listed"
        raise errors.VerificationError(f"bag, {name}: expected to list exactly what is there, got {path}, {got}.")
    for path in sorted(listed):
        if listed[path] != found[path]:
            raise errors.VerificationError(
                f"bag, {name}: expected for {path} the sha256 {listed[path][:12]}…, got {found[path][:12]}…."
            )
