"""References to versions of packages in the text of one file, by the form that its name says.

Whole references are looked for everywhere. In YAML and JSON the halves that Helm, Kustomize and Compose write apart
(`repository` and `tag`) are one reference. Nothing here reads a file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from package_retention.inputs import lockfiles
from package_retention.inputs.reference_text import (
    Mention,
    parse_tag,
    untagged_references,
    whole_name,
    whole_references,
)
from package_retention.inputs.structured_text import (
    EffectiveKeys,
    Node,
    Scalar,
    StructureError,
    Table,
    parse_json,
    parse_yaml,
    walk,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from package_retention.decide.in_use import Reference

# `name` is a name only beside a version, or where it has a slash: nearly everything has a name.
_NAMES = ("repository", "image", "newname", "name")
_TAGS = ("tag", "newtag", "version")
_DIGEST = "digest"
_REGISTRY = "registry"
_HALVES = (*_NAMES, *_TAGS, _DIGEST)
_WANTED = frozenset({*_HALVES, _REGISTRY})
_YAML = frozenset({".yaml", ".yml"})
_JSON = frozenset({".json"})


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one file refers to; `is_template`: it could not be parsed for its `{{`, and was read as text."""

    references: tuple[Reference, ...]
    is_template: bool = False


def parse(text: str, file: str) -> Parsed:
    """Return the references in a file's text, each once; raise `StructureError` if it is not what its name says."""
    try:
        found = tuple(dict.fromkeys(_references(text, file)))
    except StructureError:
        if "{{" not in text:
            raise
        return Parsed(tuple(dict.fromkeys(_in_text(text, file))), is_template=True)
    return Parsed(found)


def _references(text: str, file: str) -> Iterator[Reference]:
    path = PurePosixPath(file)
    suffix = path.suffix.lower()
    if suffix in _YAML | _JSON:
        roots = parse_yaml(text) if suffix in _YAML else parse_json(text)
        # Comments and keys are no scalars, and escapes are no raw text: both are read.
        yield from whole_references(text, file)
        yield from _in_tree(roots, file)
        yield from lockfiles.in_tree(path.name.lower(), roots, file)
    else:
        yield from _in_text(text, file)
        yield from lockfiles.in_text(path.name.lower(), text, file)


def _in_text(text: str, file: str) -> Iterator[Reference]:
    yield from whole_references(text, file)
    yield from untagged_references(text, file)


def _in_tree(roots: list[Node], file: str) -> Iterator[Reference]:
    keys = EffectiveKeys(_WANTED)
    halves: set[int] = set()
    for node in walk(roots):
        if isinstance(node, Table):
            values = keys.of(node)
            halves.update(id(scalar) for key in _HALVES for scalar in values.get(key, ()))
            yield from _of_keys(values, file)
        elif isinstance(node, Scalar):
            yield from whole_references(node.text, file, node.first_line)
            if id(node) not in halves:
                yield from untagged_references(node.text, file, node.first_line)


def _of_keys(values: dict[str, list[Scalar]], file: str) -> Iterator[Reference]:
    """Yield the references of one mapping's names, each beside every tag and digest there."""
    beside = [value for key in _TAGS for value in values.get(key, ())]
    digests = values.get(_DIGEST, [])
    for key in _NAMES:
        for scalar in values.get(key, ()):
            name = whole_name(scalar.text)
            if name is None:
                # The default in `${IMAGE:-octo/app}` is a value of the key too; a sentence is none.
                keyed = "${" in scalar.text or "{{" in scalar.text
                yield from untagged_references(scalar.text, file, scalar.first_line, keyed=keyed)
            elif not (name.tag or name.digest or name.template):
                names = _with_parents(key, name, values)
                if key != "name" or beside or digests or any("/" in one.name for one in names):
                    yield from _paired(names, beside, digests, file, scalar.first_line)


def _with_parents(key: str, name: Mention, values: dict[str, list[Scalar]]) -> list[Mention]:
    """Return the names that one may have behind a `registry`, or behind a `repository` that is only a folder."""
    parents = [re.sub(r"^\w+://", "", parent.text) for parent in values.get(_REGISTRY, ())]
    if key in {"image", "name"}:
        parents += [parent.text for parent in values.get("repository", ())]
    found = [name]
    for parent in parents:
        before = whole_name(parent)
        if before is not None and not (before.tag or before.digest or before.template):
            found.append(replace(before, name=f"{before.name}/{name.name}"))
        elif parent and "://" not in parent:
            found.append(replace(name, open_start=True))
    return found


def _paired(
    names: list[Mention], tags: list[Scalar], digests: list[Scalar], file: str, line: int
) -> Iterator[Reference]:
    """Yield each name with its halves; without one that can be known, it may mean any tag."""
    for name in names:
        for tag, digest in _halves(tags, digests):
            mention = replace(name, tag=tag, digest=digest)
            yield mention.reference(file, line)


def _halves(tags: list[Scalar], digests: list[Scalar]) -> list[tuple[str, str]]:
    """Return the tags and digests that may be meant; both empty: any."""
    known_tags = [parse_tag(scalar.text) for scalar in tags]
    known_digests = [parse_tag(scalar.text) for scalar in digests if scalar.text]
    digest = next((found[1] for found in known_digests if found and found[1]), "")
    halves = [(found[0], found[1] or digest) for found in known_tags if found]
    if digest:
        # A digest decides: beside it an empty tag means nothing.
        return [half for half in halves if half[0]] or [("", digest)]
    if not halves or None in known_tags or None in known_digests:
        halves.append(("", ""))
    return halves
