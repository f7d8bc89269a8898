"""Run with the Python of `.venv-validators`: fill the validator's cache, or read a crate with the public library.

The validator fetches the JSON-LD context of RO-Crate; offline it takes it from a cache. Here the cache is filled with
the context that ships inside the `rocrate` package (that of a later version, which knows the same terms), so that no
test needs a network.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

CONTEXT = "https://w3id.org/ro/crate/1.1/context"


def fill(place: str) -> None:
    """Put the context into the cache at a place."""
    import requests
    import rocrate
    import urllib3
    from requests.adapters import BaseAdapter
    from rocrate_validator.utils.http import HttpRequester

    content = (Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld").read_bytes()

    class Packaged(BaseAdapter):
        def send(self, request, **_):
            answer = requests.Response()
            answer.status_code, answer.url, answer.request = 200, request.url, request
            answer.headers["Content-Type"] = "application/ld+json"
            answer.raw = urllib3.HTTPResponse(
                body=io.BytesIO(content), headers=dict(answer.headers), status=200, preload_content=False
            )
            return answer

        def close(self):
            """Nothing is open."""

    requester = HttpRequester.initialize_cache(cache_path=place)
    requester.session.mount("https://", Packaged())
    requester.get(CONTEXT)


def read(place: str) -> None:
    """Print what the library finds: name, number of files, actions."""
    from rocrate.rocrate import ROCrate

    crate = ROCrate(place)
    actions = [entity.id for entity in crate.contextual_entities if "CreateAction" in entity.type]
    print(json.dumps({"name": crate.name, "files": len(crate.data_entities), "actions": sorted(actions)}))


if __name__ == "__main__":
    {"fill": fill, "read": read}[sys.argv[1]](sys.argv[2])
