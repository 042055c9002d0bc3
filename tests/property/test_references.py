"""Laws of `keep-referenced-in`: whatever is written more protects more, in whichever form it is written."""

from __future__ import annotations

import json
from io import StringIO

from hypothesis import given, settings, strategies as st
from ruamel.yaml import YAML

from package_retention.decide.in_use import ReferenceIndex
from package_retention.inputs.references import parse
from package_retention.model import PackageType, Version

DIGESTS = tuple(f"sha256:{letter * 64}" for letter in "abcd")
TAGS = ("v1", "1.10", "latest", "pr-7", "20260101", "1_0-x.y")
LISTED = (
    Version(1, DIGESTS[0], tags=TAGS[:2]),
    Version(2, DIGESTS[1], tags=TAGS[2:4]),
    Version(3, DIGESTS[2], tags=TAGS[4:]),
    Version(4, DIGESTS[3]),
)
HOSTS = st.sampled_from(("", "ghcr.io/", "localhost:5000/", "mirror.example/ghcr.io/", "docker://ghcr.io/"))
NAMES = st.sampled_from(("octo/app", "Octo/App"))
SUFFIXES = st.sampled_from(TAGS).map(":{}".format) | st.sampled_from(DIGESTS).map("@{}".format)
WHOLE = st.builds("{}{}{}".format, HOSTS, NAMES, SUFFIXES)
KEYS = st.sampled_from(
    ("repository", "image", "name", "newName", "tag", "newTag", "version", "digest", "registry", "x")
)
TEXTS = WHOLE | st.sampled_from(
    (*TAGS, *DIGESTS, "octo/app", "ghcr.io/octo/app", "app", "", "${TAG}", "{{ .tag }}", "a b")
)
TREES = st.recursive(
    TEXTS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)  # fmt: skip


def _kept(*files: tuple[str, str]) -> set[int]:
    references = [reference for name, text in files for reference in parse(text, name).references]
    found = ReferenceIndex(references).protected("octo", PackageType.CONTAINER, "app", "ghcr.io", LISTED)
    return set(found.reasons)


def _yaml(tree: object) -> str:
    stream = StringIO()
    YAML(typ="safe", pure=True).dump(tree, stream)
    return stream.getvalue()


def _meant(suffix: str) -> int:
    return next(v.id for v in LISTED if suffix[1:] in (*v.tags, v.name))


@settings(deadline=None)
@given(HOSTS, NAMES, SUFFIXES, st.sampled_from(("", " ", "'", '"', "`", "(", "=", ":-", "[", "x ", ",")))
def test_a_whole_reference_protects_what_it_names_and_nothing_else(
    host: str, name: str, suffix: str, before: str
) -> None:
    text = f"{host}{name}{suffix}"
    for file, whole in (
        ("a.txt", f"{before}{text}"),
        ("a.md", f"run `{text}` now"),
        ("a.yaml", _yaml({"a": [text]})),
        ("a.json", json.dumps({"image": text})),
        ("a.yaml", f"# {text}"),
    ):
        assert _kept((file, whole)) == {_meant(suffix)}


@settings(deadline=None)
@given(HOSTS, NAMES, SUFFIXES, st.sampled_from(("repository", "image", "name", "newName")), st.booleans())
def test_a_pair_protects_what_it_names_and_nothing_else(
    host: str, name: str, suffix: str, key: str, version: bool
) -> None:
    half = "digest" if suffix[0] == "@" else ("version" if version else "tag")
    tree = {"x": [{key: host + name, half: suffix[1:]}]}
    assert _kept(("a.yaml", _yaml(tree))) == {_meant(suffix)}
    assert _kept(("a.json", json.dumps(tree))) == {_meant(suffix)}


@settings(deadline=None)
@given(TREES)
def test_yaml_and_json_of_one_tree_protect_the_same(tree: object) -> None:
    assert _kept(("a.yaml", _yaml(tree))) == _kept(("a.json", json.dumps(tree)))


@settings(deadline=None)
@given(TREES, st.lists(TREES, max_size=2))
def test_one_file_more_never_protects_less(tree: object, others: list[object]) -> None:
    files = [(f"{number}.yaml", _yaml(other)) for number, other in enumerate(others)]
    assert _kept(*files) <= _kept(*files, ("more.json", json.dumps(tree)))
    assert _kept(*files, ("more.json", json.dumps(tree))) == _kept(
        ("more.json", json.dumps(tree)), *files[::-1]
    )


@settings(deadline=None)
@given(TREES, WHOLE)
def test_a_whole_reference_protects_wherever_it_is_put(tree: object, text: str) -> None:
    meant = _kept(("a.txt", text))
    assert meant <= _kept(("a.yaml", _yaml({"a": tree, "b": text})))
    assert meant <= _kept(("a.yaml", _yaml({"a": tree}) + f"# {text}\n"))


@settings(deadline=None)
@given(st.text(max_size=60) | st.text("ghcr.io/octo:@{}$ \n-", max_size=60), st.sampled_from(TAGS))
def test_no_text_around_hides_a_reference_on_a_line_of_its_own(noise: str, tag: str) -> None:
    meant = _meant(f":{tag}")
    assert meant in _kept(("a.txt", f"{noise}\nghcr.io/octo/app:{tag}\n{noise}"))
