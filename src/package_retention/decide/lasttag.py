"""The last tag of a package: GitHub refuses to delete the last tagged version, and so the dummy that would hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from package_retention.decide.ordering import by_age

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from package_retention.decide.facts import Facts
    from package_retention.model import Version


def but_the_last_tag(
    facts: Facts, going: Collection[str], untagged: Mapping[str, tuple[str, ...]]
) -> tuple[dict[str, tuple[str, ...]], Version | None]:
    """What loses which tags, by digest, with the newest of them spared where no tag would be left; gives that one."""
    staying = [version for version in facts.latest if version.name not in going]
    if not untagged or any(set(version.tags) - set(untagged.get(version.name, ())) for version in staying):
        return dict(untagged), None
    last = max((version for version in staying if version.name in untagged), key=by_age, default=None)
    return {digest: tags for digest, tags in untagged.items() if last is None or digest != last.name}, last
