"""References found in the text of files, and which versions they protect: from the text to the reason."""

from __future__ import annotations

from textwrap import dedent

import pytest

from package_retention.decide.in_use import InUse, ReferenceIndex, UseCode
from package_retention.inputs.references import parse
from package_retention.model import PackageType, Version
from package_retention.problems import InvalidValueError

D1, D2, D3 = (f"sha256:{letter * 64}" for letter in "abc")
LISTED = (
    Version(1, D1, tags=("v1", "1.2")),
    Version(2, D2, tags=("v2", "1.10")),
    Version(3, D3),
)


def use(text: str, file: str = "deploy/prod.yaml", name: str = "app", owner: str = "Octo") -> InUse:
    references = parse(dedent(text), file).references
    return ReferenceIndex(references).protected(owner, PackageType.CONTAINER, name, "ghcr.io", LISTED)


def kept(text: str, file: str = "deploy/prod.yaml", name: str = "app") -> dict[int, int]:
    """Return the line that each protected version is referred to in, by its id."""
    return {number: reason.line for number, reason in use(text, file, name).reasons.items()}


def codes(text: str, file: str = "deploy/prod.yaml", name: str = "app") -> list[UseCode]:
    return [notice.code for notice in use(text, file, name).notices]


TEXT_FILES = ["notes.txt", "main.tf", "README.md", "in-use", "deploy/prod.yaml"]


@pytest.mark.parametrize("file", TEXT_FILES)
@pytest.mark.parametrize(
    "text",
    [
        "ghcr.io/octo/app:v1",
        "GHCR.io/Octo/App:v1",
        "octo/app:v1",
        "mirror.example:5000/octo/app:v1",
        "mirror.example/ghcr.io/octo/app:v1",
        "localhost:5000/octo/app:v1",
        "docker://ghcr.io/octo/app:v1",
        "oci://ghcr.io/octo/app:v1",
        "image=ghcr.io/octo/app:v1",
        "'ghcr.io/octo/app:v1'",
        "ghcr.io/octo/app:v1.",
        "$REGISTRY/octo/app:v1",
        "${REGISTRY}/octo/app:v1",
        "${REGISTRY}octo/app:v1",
        "${IMAGE:-ghcr.io/octo/app:v1}",
        "ghcr.io/${OWNER}/app:v1",
        f"ghcr.io/octo/app@{D1}",
        f"other.example/x/y@{D1.upper().replace('SHA', 'sha')}",
        D1,
        f'"digest": "{D1}"',
        f"https://ghcr.io/v2/octo/app/manifests/{D1}",
    ],
)
def test_whole_references_are_found_in_every_file(text: str, file: str) -> None:
    text = f"- {text}" if file.endswith(".yaml") and ": " not in text else text
    assert list(kept(text, file)) == [1]


def test_a_tag_with_a_digest_protects_both() -> None:
    assert set(kept(f"image: ghcr.io/octo/app:v2@{D1}")) == {1, 2}
    assert codes(f"image: ghcr.io/octo/app:v9@{D1}") == []


@pytest.mark.parametrize(
    "text",
    [
        "https://github.com/octo/app:v1",
        "https://github.com/octo/app",
        "see https://ghcr.io/octo/app:v1 for more",
        "git@github.com:octo/app.git",
        "octo/app",
        "ghcr.io/octo/app2:v1",
        "ghcr.io/octo/app/sub:v1",
        "ghcr.io/other/app:v1",
        "notocto/app:v1",
        "not.octo/app:v1",
        "uses: octo/app@v1",
    ],
)
def test_urls_and_other_names_are_none(text: str) -> None:
    assert kept(text, "notes.txt") == {}
    assert codes(text, "notes.txt") == [UseCode.NOT_NAMED]


def test_a_name_with_a_slash_is_compared_whole() -> None:
    assert list(kept("image: ghcr.io/octo/group/app:v1", name="group/app")) == [1]
    assert kept("image: ghcr.io/octo/app:v1", name="group/app") == {}


# The four ways


HELM = """\
    image:
      repository: ghcr.io/octo/app
      tag: "1.2"  # {{ no template }}
    """
KUSTOMIZE = """\
    images:
      - name: app
        newName: ghcr.io/octo/app
        newTag: 1.10
    """
COMPOSE = """\
    x-common: &common
      image: ghcr.io/octo/app:v1
    services:
      web:
        <<: *common
    """
DEPLOYMENT = f"""\
    kind: Deployment
    spec:
      containers:
        - name: app
          image: ghcr.io/octo/app@{D3}
    """


def test_a_values_file_a_kustomization_a_compose_file_and_a_deployment_name_four_images() -> None:
    assert kept(HELM) == {1: 2}
    assert kept(KUSTOMIZE) == {2: 3}
    assert kept(COMPOSE) == {1: 2}
    assert kept(DEPLOYMENT) == {3: 5}
    for text in (HELM, KUSTOMIZE, COMPOSE, DEPLOYMENT):
        assert codes(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "{registry: ghcr.io, repository: octo/app, tag: v1}",
        "{registry: ghcr.io/octo, repository: app, tag: v1}",
        "{registry: '{{ x }}', repository: app, tag: v1}",
        "{registry: https://ghcr.io/octo, repository: app, tag: v1}",
        "{registry: ghcr.io/octo, name: app, tag: v1}",
        "[ghcr.io/octo/app=ghcr.io/octo/app:v1]",
        "{repository: ghcr.io/octo, image: app, version: v1}",
        "{repository: 'oci://ghcr.io/octo', name: app, version: v1}",
        "{image: octo/app, version: v1}",
        f"{{repository: octo/app, digest: '{D1}'}}",
        f"{{repository: octo/app, tag: '', digest: '{D1}'}}",
        "{repository: octo/app, tag: v1, digest: ''}",
        f"{{repository: octo/app, tag: 'v1@{D1}'}}",
        f"{{repository: octo/app, tag: '{D1}'}}",
        "{tag: v1, repository: octo/app}",
        "{newName: octo/app, newTag: !custom v1}",
        "a: &t v1\nb: {repository: octo/app, tag: *t}",
        "a: &b {repository: octo/app, tag: v9}\nc: {<<: *b, tag: v1}",
        "a: &b {repository: octo/app}\nc: &d {tag: v1}\ne: {<<: [*b, *d]}",
        "a: 1\n---\nrepository: octo/app\ntag: v1",
    ],
)
def test_halves_that_are_written_apart_are_one_reference(text: str) -> None:
    assert 1 in kept(text)
    if "&b" not in text:
        assert set(kept(text)) == {1}
        assert codes(text) == []


def test_scalars_are_texts_as_written() -> None:
    assert list(kept("{repository: octo/app, tag: 1.10}")) == [2]
    assert list(kept('{"repository": "octo/app",\n"tag": 1.10}', "values.json")) == [2]


def test_json_gives_the_line_of_the_name() -> None:
    text = '{\n "a": "x\\n:",\n "image": {\n  "repository": "octo\\/app",\n  "tag": "v1"\n }\n}'
    assert kept(text, "values.json") == {1: 4}
    assert kept('{\n"containers": [{\n"image": "ghcr.io\\u002focto/app:v2"}]}', "pods.json") == {2: 3}


# Tags that cannot be known


@pytest.mark.parametrize(
    "text",
    [
        "image: ghcr.io/octo/app",
        "image: octo/app",
        "repository: octo/app",
        "{repository: ghcr.io/octo/app, tag: ''}",
        "{repository: ghcr.io/octo/app, tag: }",
        "{repository: ghcr.io/octo/app, tag: null}",
        "{repository: ghcr.io/octo/app, tag: '${TAG}'}",
        "{repository: ghcr.io/octo/app, tag: v9, digest: '${DIGEST}'}",
        "{name: app, repository: 'oci://ghcr.io/octo', version: ^1.0}",
        "image: ghcr.io/octo/app:${TAG:-v1}",
        "image: octo/app:${TAG:-v1}",
        "image: octo/app:$TAG",
        "image: ghcr.io/octo/app:1.2-${SHA}",
        "image: ghcr.io/octo/app@${DIGEST}",
        "image: 'ghcr.io/octo/app:'",
        "image: '{{ .Values.registry }}/octo/app:{{ .Values.tag }}'",
        "image: ${IMAGE:-octo/app}",
        "url: oci://ghcr.io/octo/app",
        "images: ['ghcr.io/octo/app=*:v1']",
        "{registry: ghcr.io/octo, name: app}",
        "{registry: ghcr.io/octo/app, tag: v1}",
        "run: docker pull ghcr.io/octo/app",
        "args: [--image=ghcr.io/octo/app]",
    ],
)
def test_a_place_without_a_tag_that_can_be_known_protects_every_tagged_version(text: str) -> None:
    found = use(text)
    assert {number: reason.code for number, reason in found.reasons.items()} == {
        1: UseCode.ANY_TAG,
        2: UseCode.ANY_TAG,
    }
    warning = next(notice for notice in found.notices if notice.code is UseCode.ANY_TAG)
    assert (warning.file, warning.line) == ("deploy/prod.yaml", 1)


@pytest.mark.parametrize(
    "text",
    [
        'image = "octo/app"',
        "  repository = 'octo/app' # why",
        "image: octo/app",
        "docker pull ghcr.io/octo/app",
    ],
)
def test_the_same_in_plain_text(text: str) -> None:
    assert set(kept(text, "main.tf")) == {1, 2}


@pytest.mark.parametrize("text", ["name: Deploy octo/app today", "path: octo/app", "name: app", "tag: v1"])
def test_a_name_in_running_text_is_none(text: str) -> None:
    assert kept(text) == {}


def test_a_tag_that_is_not_listed_is_a_notice() -> None:
    (notice,) = use("a: 1\nimage: ghcr.io/octo/app:v9").notices
    assert (notice.code, notice.file, notice.line, notice.text) == (
        UseCode.NOT_LISTED,
        "deploy/prod.yaml",
        2,
        "v9",
    )


def test_the_reason_of_the_very_tag_comes_before_that_of_any_tag() -> None:
    text = "a: {image: ghcr.io/octo/app}\nb: {image: ghcr.io/octo/app:v1}"
    assert {n: (r.code, r.line) for n, r in use(text).reasons.items()} == {
        1: (UseCode.TAG, 2),
        2: (UseCode.ANY_TAG, 1),
    }


# Templates, and what cannot be parsed


def test_a_template_that_is_no_yaml_is_read_as_text() -> None:
    text = "{{- if .x }}\nimage: ghcr.io/octo/app:v1\nrepository: octo/app\ntag: {{ .tag }}\n{{- end }}"
    parsed = parse(text, "chart/templates/app.yaml")
    assert parsed.templates == ("chart/templates/app.yaml",)
    assert {(r.name, r.tag, r.any_tag, r.line) for r in parsed.references} == {
        ("ghcr.io/octo/app", "v1", False, 2),
        ("octo/app", "", True, 3),
    }


def test_braces_in_a_comment_make_no_template() -> None:
    assert not parse(dedent(HELM), "values.yaml").templates
    assert kept(HELM.replace("1.2", "v2")) == {2: 2}


@pytest.mark.parametrize(
    ("text", "file", "line"),
    [
        ("a: [\nb", "x.yaml", 2),
        ("\ta: 1", "x.yml", 1),
        ("a: *b", "x.yaml", 1),
        ("a: \x07", "x.yaml", 0),
        ('{"a":\n1,}', "x.json", 2),
        ("", "x.json", 1),
        ("[" * 100_000, "x.json", 0),
        ("[" * 100_000, "x.yaml", 0),
        ("- " * 100_000, "x.yaml", 0),
        ("{<<: " * 3_000 + "}" * 3_000, "x.yaml", 0),
        ("<a>", "pom.xml", 1),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "x.csproj", 0),
    ],
)
def test_what_cannot_be_parsed_is_an_error_with_its_line(text: str, file: str, line: int) -> None:
    with pytest.raises(InvalidValueError) as raised:
        parse(text, file)
    (problem,) = raised.value.problems
    assert (problem.at.line if problem.at else 0) == line
    assert problem.details["why"]


def test_an_empty_listing_of_a_cluster_holds_no_reference() -> None:
    empty_list = '{"apiVersion": "v1", "items": [], "kind": "List", "metadata": {"resourceVersion": ""}}'
    for text, file in (
        (empty_list, "pods.json"),
        ("apiVersion: v1\nitems: []\nkind: List\nmetadata:\n  resourceVersion: ''\n", "pods.yaml"),
        ("", "pods.txt"),
        ("No resources found\n", "pods.txt"),
        ("NAMESPACE   NAME   IMAGE\n", "pods.txt"),
        ("apiVersion: rbac.authorization.k8s.io/v1\n", "roles.yaml"),
        ("2026-01-01T12:30:45Z app/main.py: nothing\n", "log.txt"),
    ):
        assert parse(text, file).references == ()


def test_anchors_that_hold_themselves_end() -> None:
    parse("&a [*a, {<<: *a, image: octo/app:v1}]", "x.yaml")
    assert list(kept("&a {<<: *a, b: *a, image: octo/app:v1}")) == [1]
    layers = "\n".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]" for n in range(1, 60))
    assert list(kept(f"x0: &x0 octo/app:v1\n{layers}")) == [1]


@pytest.mark.parametrize(
    "unit", ["a", "/", ".", "a.", "a/", "@", "a:", "$", "{", "ghcr.io/", "-", ":-", "a@", "sha256:"]
)
def test_no_text_is_slow(unit: str) -> None:
    parse(unit * 50_000, "notes.txt")
