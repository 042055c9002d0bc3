"""Manifests that somebody might push to harm whoever reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.shapes import OCI_IMAGE, OCI_INDEX, Shape, descriptor, image, shape

if TYPE_CHECKING:
    from emulator.shapes import Json


def hostile() -> dict[str, Shape]:
    """Give each by what is wrong with it."""
    good = image("good")
    child = descriptor(good, "linux/amd64")
    wrong: dict[str, Json] = {
        "manifests is a text": {"manifests": "all of them"},
        "an entry is a number": {"manifests": [1]},
        "a digest is a path": {"manifests": [child | {"digest": "../../token"}]},
        "a digest is too short": {"manifests": [child | {"digest": "sha256:abc"}]},
        "a digest is a list": {"manifests": [child | {"digest": [good.digest]}]},
        "a media type is missing": {"manifests": [{"digest": good.digest, "size": 1}]},
        "a media type is an object": {"manifests": [child | {"mediaType": {}}]},
        "a platform is a text": {"manifests": [child | {"platform": "linux/amd64"}]},
        "annotations are a list": {"manifests": [child | {"annotations": ["x"]}]},
        "a size is a text": {"manifests": [child | {"size": "1"}]},
        "half a character": {"manifests": [child | {"platform": {"os": "\ud800", "architecture": "x"}}]},
        "the subject is a text": {"manifests": [], "subject": good.digest},
        "the subject is empty": {"manifests": [], "subject": {}},
        "index and image in one": {"manifests": [child], "layers": [child], "config": child},
        "another spelling": {"manifests": [], "Manifests": [child]},
        "no list at all": {},
    }
    found = {
        why: shape({"schemaVersion": 2, "mediaType": OCI_INDEX} | part, OCI_INDEX)
        for why, part in wrong.items()
    }
    image_with_children = good.document | {"manifests": [child]}
    found["an image that lists manifests"] = shape(image_with_children, OCI_IMAGE)
    found["says image, sent as index"] = Shape(good.body, OCI_INDEX)
    found["says nothing"] = shape({"schemaVersion": 2}, "application/json")
    bodies = {
        "a list": b"[]",
        "a number": b"17",
        "no JSON": b"<html>Sign in</html>",
        "nothing": b"",
        "not UTF-8": b'{"manifests": ["\xff\xfe"]}',
        "a key twice": b'{"schemaVersion": 2, "manifests": [], "manifests": []}',
        "a number that is none": b'{"schemaVersion": NaN, "manifests": []}',
        "a number without end": b'{"schemaVersion": ' + b"9" * 10_000 + b', "manifests": []}',
        "too deep": b'{"manifests": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        "too large": b'{"manifests": []' + b" " * (9 * 1024 * 1024) + b"}",
    }
    return found | {why: Shape(body, OCI_INDEX) for why, body in bodies.items()}
