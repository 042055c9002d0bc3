"""Find references in plain text: images with tag, digest or template, `name@version`, `group:name:version`, bare digests."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from package_retention.decide.in_use import Reference

_DIGEST = r"sha256:[0-9a-fA-F]{64}(?![0-9a-zA-Z])"
# What a template engine or shell will replace; `<` and `%` are too common in running text to count without a colon.
_TEMPLATE = r"(?:\$[\w{(]|\{\{|\#\{|(?<=[:@])[<%{])"
# Atomic groups in place of possessive repetitions of groups, which Python 3.11.2 misreads.
_PART = r"\w[\w.\-]*+"
_IMAGE = re.compile(
    rf"""
    (?: (?<![\w.\-/]) | (?<=:-) )            # `:-`: the default in `${{IMAGE:-ghcr.io/octo/app:v1}}`
    (?> (?P<scheme> [A-Za-z][\w+.\-]*:// )? )
    (?P<slashes> /*+ )
    (?P<name> {_PART} (?: :\d++(?=/) )? (?> (?: /{_PART} )* ) )
    (?: :(?P<tag> \w[\w.\-]{{0,127}}+ ) (?! [\w.\-]*/ ) )?
    (?: @(?P<digest> {_DIGEST} ) )?
    (?: (?P<template> [:@]? (?:sha256:)? {_TEMPLATE} ) | (?P<colon> [:@] ) )?
    """,
    re.VERBOSE | re.ASCII,
)
_BARE_DIGEST = re.compile(rf"(?<![0-9a-zA-Z]){_DIGEST}", re.ASCII)
_AT_VERSION = re.compile(
    rf"(?P<name>@[\w.\-]++/[\w.\-]++|(?<![\w.\-@/])\w[\w.\-]*+)@(?:npm:)?(?:(?P<version>v?\d[\w.+\-]*+)|{_TEMPLATE})",
    re.ASCII,
)
_COORDINATES = re.compile(
    rf"(?<![\w.\-:/@])(?P<name>[A-Za-z][\w.\-]*+:[A-Za-z][\w.\-]*+)(?P<rest>(?>(?::\w[\w.+\-]*+)*))(?P<template>:{_TEMPLATE})?",
    re.ASCII,
)
_KEY_BEFORE = re.compile(r"""(?:^|[\s{,\[-])["']?(?:repository|image|name|newName)["']?\s*[:=]\s*["']?$""")
_END_OF_VALUE = re.compile(r"""["']?\s*(?:[,;}\])#].*)?$""")
_TAG = re.compile(rf"(?P<tag>\w[\w.\-+]*+)?@?(?P<digest>{_DIGEST})?", re.ASCII)
_LEADING_TEMPLATES = re.compile(r"(?:\$\{[^}]*\}|\{\{.*?\}\}|\$\([^)]*\)|\$\w+|%\w+%|\#\{[^}]*\})+", re.ASCII)
_URL_SCHEMES = ("http", "git", "ssh", "ftp", "file", "s3", "gs", "ws", "tcp", "udp", "unix", "svn")
MOVING_VERSIONS = frozenset({"latest", "release"})
_HOST_OWNER_AND_NAME = re.compile(r"(?=.*[.:]|localhost/)[^/]*/[^/]*/")
# How much of a line is looked at around a name: a file may be one line of 10 MiB.
_LINE_PART = 200


class Mention(Struct, frozen=True):
    """An image's name in a text, with what follows it; `start` and `end` are offsets."""

    name: str
    start: int
    end: int
    tag: str = ""
    digest: str = ""
    template: bool = False
    open_start: bool = False

    @property
    def is_bare(self) -> bool:
        """Whether nothing follows the name."""
        return not (self.tag or self.digest or self.template)

    @property
    def is_whole(self) -> bool:
        """Whether it is a reference by itself, wherever it stands."""
        return not self.is_bare and ("/" in self.name or self.open_start)

    def reference(self, file: str, line: int, *, explicit: bool = True) -> Reference:
        """Return it as a reference; without a tag or digest it may mean any tag."""
        any_tag = self.template or not (self.tag or self.digest)
        tag = "" if self.template else self.tag
        return Reference(self.name, file, line, tag, self.digest, any_tag, explicit, self.open_start)


class Passage:
    """A text of a file: all of it, or a value that begins in its `first_line`."""

    def __init__(self, text: str, file: str, first_line: int = 1) -> None:
        self.text = text
        self.file = file
        self._first_line = first_line
        self._ends = [found.start() for found in re.finditer("\n", text)]

    def line(self, offset: int) -> int:
        """Return the number of the line that holds an offset."""
        return self._first_line + bisect_right(self._ends, offset - 1)


def mentions(text: str) -> Iterator[Mention]:
    """Yield every name of an image in a text, URLs left out."""
    for found in _IMAGE.finditer(text):
        if (found["scheme"] or "").lower().startswith(_URL_SCHEMES):
            continue
        name, open_start = found["name"], False
        before = text[max(0, found.start() - 1) : found.start()]
        if before == "$":
            _, slash, name = name.partition("/")
            open_start = bool(slash)
        elif before and before in "})%>":
            open_start = bool(found["slashes"]) or before == "}"
        if name:
            tag, digest = found["tag"] or "", (found["digest"] or "").lower()
            yield Mention(name, *found.span(), tag, digest, bool(found["template"]), open_start)


def whole_name(text: str) -> Mention | None:
    """Return the image that a text is and nothing else, templates before and behind it allowed."""
    text = text.strip()
    if re.fullmatch(r"@[\w.\-]+/[\w.\-]+", text, re.ASCII):
        return Mention(text, 0, len(text))
    template = _LEADING_TEMPLATES.match(text)
    rest = text[template.end() :].lstrip("/") if template else text
    found = next(mentions(rest), None)
    if found is None or found.start or (found.end < len(rest) and not found.template):
        return None
    return replace(found, open_start=found.open_start or template is not None)


def parse_tag(text: str) -> tuple[str, str] | None:
    """Return the tag and digest of a text that is one, the other or both; `None` if it may mean any (empty, a range)."""
    text = text.strip()
    # `\w` before `sha256:` would take it for a tag.
    found = _TAG.fullmatch(f"@{text}" if text.startswith("sha256:") else text)
    if not found or not (found["tag"] or found["digest"]):
        return None
    return found["tag"] or "", (found["digest"] or "").lower()


def whole_references(passage: Passage) -> Iterator[Reference]:
    """Yield what is a reference wherever it stands: with a tag, digest or template, and versions of packages."""
    for mention in mentions(passage.text):
        if mention.is_whole:
            yield mention.reference(passage.file, passage.line(mention.start))
    for found in _BARE_DIGEST.finditer(passage.text):
        yield Reference("", passage.file, passage.line(found.start()), digest=found[0].lower())
    for found in _AT_VERSION.finditer(passage.text):
        version = found["version"] or ""
        line = passage.line(found.start())
        yield Reference(found["name"], passage.file, line, version, any_tag=not version)
    for found in _COORDINATES.finditer(passage.text):
        yield from _coordinates(found, passage.file, passage.line(found.start()))


def _coordinates(found: re.Match[str], file: str, line: int) -> Iterator[Reference]:
    """Yield `group:name:version`; behind the name may stand a packaging and a scope too, so each piece is tried."""
    pieces = found["rest"].split(":")[1:]
    if found["template"] or any(piece.lower() in MOVING_VERSIONS for piece in pieces):
        yield Reference(found["name"], file, line, any_tag=True)
    for piece in pieces:
        if re.search(r"\d|SNAPSHOT", piece):
            yield Reference(found["name"], file, line, piece)


def untagged_references(passage: Passage, *, keyed: bool = False) -> Iterator[Reference]:
    """Yield names without a tag: values of a key that names images, and `host/owner/name` in running text.

    `keyed`: the text is the value of such a key; else keys are looked for in front of each name in its line.
    """
    for mention in mentions(passage.text):
        if mention.is_whole or "/" not in mention.name or _is_replaced(passage.text, mention):
            continue
        explicit = keyed or _is_value_of_key(passage.text, mention)
        if explicit or _HOST_OWNER_AND_NAME.match(mention.name):
            yield mention.reference(passage.file, passage.line(mention.start), explicit=explicit)


def _is_replaced(text: str, mention: Mention) -> bool:
    """Whether it is the left side of Kustomize's and Argo CD's `name=new-name:tag`, of which the right side counts."""
    if not text.startswith("=", mention.end):
        return False
    right = _IMAGE.match(text, mention.end + 1)
    return bool(right and "/" in right["name"] and (right["tag"] or right["digest"]))


def _is_value_of_key(text: str, mention: Mention) -> bool:
    before = text[max(0, mention.start - _LINE_PART) : mention.start].rpartition("\n")[2]
    behind = text[mention.end : mention.end + _LINE_PART].partition("\n")[0]
    return bool(_KEY_BEFORE.search(before)) and bool(_END_OF_VALUE.match(behind))
