"""What `actions/delete-package-versions` v5 would delete: its rules, written down anew from its `src/input.ts` and
`src/delete.ts`, to be compared with. Nothing here knows this project's own rules.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from emulator.stored import StoredVersion

MOST = 100
"""It deletes no more in a run (`RATE_LIMIT`)."""

# Everything that is not numbers between dots is a pre-release there.
_RELEASE = r"^(0|[1-9]\d*)((\.(0|[1-9]\d*))*)$"
_NOTHING = r"^$"


def deletes(versions: Iterable[StoredVersion], inputs: Mapping[str, str]) -> list[int]:
    """The ids that it deletes, oldest first; `inputs` as given, its defaults for the others."""
    if ids := [int(one) for one in inputs.get("package-version-ids", "").split(",") if one.strip()]:
        return ids[:MOST]
    number = int(inputs.get("num-old-versions-to-delete", "1"))
    keep = int(inputs.get("min-versions-to-keep", "-1"))
    ignored = inputs.get("ignore-versions", _NOTHING)
    pre_releases = inputs.get("delete-only-pre-release-versions") == "true"
    untagged = inputs["package-type"] == "container" and inputs.get("delete-only-untagged-versions") == "true"
    if number > 1 and (keep >= 0 or pre_releases or untagged):
        return []
    if pre_releases:
        ignored = _RELEASE
    if pre_releases or untagged:
        keep = max(keep, 0)
    oldest_first = sorted(versions, key=lambda version: (version.created_at, version.id))
    left = [version for version in oldest_first if not re.search(ignored, version.name)]
    if untagged:
        left = [version for version in left if not version.tags]
    count = min(number, len(left)) if keep < 0 else len(left) - keep
    return [version.id for version in left[: max(0, min(count, MOST))]]
