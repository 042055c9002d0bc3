"""Read a blob of a published image from its registry, with the standard library alone."""

import base64
import hashlib
import json
from collections.abc import Mapping
from urllib.parse import urlencode
from urllib.request import Request, urlopen

MOST_BYTES = 16_000_000  # what an attestation of an SBOM may hold
SECONDS = 60


def blob(image: str, digest: str, environ: Mapping[str, str]) -> bytes:
    """Return a blob that was checked against its digest; the job's token reads the image.

    `REGISTRY_URL` replaces the address that follows from the image's name.

    Raises:
        OSError: The registry could not be read.
        ValueError: It answered with something else, or with too much.
    """
    host, _, name = image.partition("/")
    base = environ.get("REGISTRY_URL", f"https://{host}")
    login = base64.b64encode(f"{environ['GITHUB_ACTOR']}:{environ['TOKEN']}".encode()).decode()
    scope = urlencode({"service": host, "scope": f"repository:{name}:pull"})
    bearer = json.loads(_get(f"{base}/token?{scope}", f"Basic {login}"))["token"]
    body = _get(f"{base}/v2/{name}/blobs/{digest}", f"Bearer {bearer}")
    if digest != f"sha256:{hashlib.sha256(body).hexdigest()}":
        raise ValueError(f"what the registry answered for {digest} has another digest")
    return body


def _get(url: str, authorization: str) -> bytes:
    request = Request(url)  # noqa: S310 - the registry's own address
    # Not sent again where a blob is redirected to another host's storage.
    request.add_unredirected_header("Authorization", authorization)
    with urlopen(request, timeout=SECONDS) as response:  # noqa: S310 - as above
        body: bytes = response.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise ValueError(f"{url} answered with more than {MOST_BYTES:,} bytes")
    return body
