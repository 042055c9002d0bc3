"""What the log and the summary call versions: tags and short digests, and for a signature what it signs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from package_retention.decide.graph import derived_subject, own_tags
from package_retention.escaping import counted
from package_retention.output.summary.blocks import Code, Link

if TYPE_CHECKING:
    from collections.abc import Iterable

    from package_retention.model import Decision, Version
    from package_retention.output.summary.blocks import Line

MOST_TAGS = 8

_SUFFIX = re.compile(r"\.(sig|att|sbom)$")
_KINDS = {"sig": "signature", "att": "attestation", "sbom": "SBOM"}


class Names:
    """The names of one package's versions; of a digest-derived tag, its subject's is told where it is known."""

    def __init__(self, decisions: Iterable[Decision] = ()) -> None:
        self._subjects = {one.version.name: tags[0] for one in decisions if (tags := own_tags(one.version))}

    def line(self, version: Version) -> Line:
        """Name a version: its tags, then its digest or name, which leads to its page."""
        shown = short(version.name)
        last = Link(shown, version.html_url) if version.html_url else Code(shown)
        tags = [piece for tag in version.tags[:MOST_TAGS] for piece in (*self._tag(tag), " ")]
        more = len(version.tags) - MOST_TAGS
        return (*tags, *((f"and {counted(more, 'more tag')} ",) if more > 0 else ()), last)

    def text(self, version: Version, tags: tuple[str, ...] | None = None) -> str:
        """The same as plain text; with `tags`, by these."""
        tags = version.tags if tags is None else tags
        named = [self.words(tag) for tag in tags[:MOST_TAGS]] + ["…"] * (len(tags) > MOST_TAGS)
        return ", ".join(dict.fromkeys([*named, short(version.name)]))

    def words(self, tag: str) -> str:
        """A tag in words: `signature of v1` where the subject is known."""
        return "".join(piece.text if isinstance(piece, Code) else str(piece) for piece in self._tag(tag))

    def _tag(self, tag: str) -> tuple[str | Code, ...]:
        digest = derived_subject(tag)
        if digest is None:
            return (Code(tag),)
        subject = self._subjects.get(digest)
        if subject is None:
            return (Code(short_tag(tag)),)
        found = _SUFFIX.search(tag)
        return (f"{_KINDS[found[1]] if found else 'referrers'} of ", Code(subject))


def short(name: str) -> str:
    """Cut a digest to its first 12 hex digits; any other name stays."""
    algorithm, colon, digits = name.partition(":")
    return f"{algorithm}:{digits[:12]}" if colon and algorithm == "sha256" else name


def short_tag(tag: str) -> str:
    """Cut a digest-derived tag (`sha256-2aab52919d9d….sig`); any other stays."""
    if derived_subject(tag) is None:
        return tag
    found = _SUFFIX.search(tag)
    algorithm, _, digits = tag.partition("-")
    return f"{algorithm}-{digits[:12]}…{found[0] if found else ''}"
