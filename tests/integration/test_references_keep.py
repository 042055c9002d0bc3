"""Images that files of the workspace refer to stay, each with its file and line; what cannot be relied upon stops the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scene import Scene, scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as found:
        found.folder.mkdir(parents=True, exist_ok=True)
        yield found


def write(made: Scene, name: str, text: str, encoding: str = "utf-8") -> None:
    path = made.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding=encoding)


def test_four_kinds_of_files_keep_the_images_that_they_name(made: Scene) -> None:
    helm, kustomize, compose, raw, gone = (
        made.push(tag, created=100) for tag in ("1.0.1", "1.0.2", "1.0.3", "1.0.4", "1.0.5")
    )
    write(made, "deploy/values.yaml", "image:\n  repository: ghcr.io/octo/app\n  tag: 1.0.1\n")
    write(made, "deploy/kustomization.yaml", "images:\n  - name: ghcr.io/octo/app\n    newTag: 1.0.2\n")
    write(made, "deploy/compose.yml", "services:\n  app:\n    image: ghcr.io/octo/app:1.0.3\n")
    write(
        made,
        "deploy/deployment.yaml",
        "kind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n"
        f"        - image: ghcr.io/octo/app@{raw.digest}\n",
    )
    ran = made.delete(older_than="30d", keep_referenced_in="deploy/**/*.yaml\ndeploy/**/*.yml")
    assert [made.has(image) for image in (helm, kustomize, compose, raw, gone)] == [True] * 4 + [False]
    for place in ("values.yaml:2", "kustomization.yaml:2", "compose.yml:3", "deployment.yaml:6"):
        assert f"referenced in deploy/{place}" in ran.summary + ran.log, ran.summary


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("other.yaml", "image: ghcr.io/octo/app:1.0.0\n"),
        ("deploy/empty.txt", ""),
        ("deploy/broken.yaml", "image: [\n"),
    ],
)
def test_what_cannot_be_relied_upon_fails_before_any_request(made: Scene, name: str, text: str) -> None:
    made.push("1.0.0", created=100)
    write(made, name, text)
    ran = made.step(older_than="30d", keep_referenced_in="deploy/*")
    assert ran.status == 1
    assert made.world.requests == []
    assert made.world.registry_requests == []


def test_a_linked_file_fails_before_any_request(made: Scene) -> None:
    write(made, "real.yaml", "image: ghcr.io/octo/app:1.0.0\n")
    (made.folder / "link.yaml").symlink_to("real.yaml")
    assert made.step(older_than="30d", keep_referenced_in="*.yaml").status == 1
    assert made.world.requests == []


@pytest.mark.parametrize(
    "text",
    [
        "image:\n  repository: ghcr.io/octo/app\n  tag: ''\n",
        "services:\n  app:\n    image: ghcr.io/octo/app:${TAG:-v1}\n",
    ],
)
def test_a_tag_that_cannot_be_known_keeps_every_tagged_image(made: Scene, text: str) -> None:
    images = [made.push(tag, created=100) for tag in ("1.0.0", "1.0.1")]
    dangling = made.push(created=100)
    write(made, "values.yaml", text)
    ran = made.delete(older_than="30d", keep_referenced_in="values.yaml")
    assert [made.has(image) for image in (*images, dangling)] == [True, True, False]
    assert "::warning::" in ran.log
    assert "values.yaml:" in ran.log


def test_what_powershell_writes_is_read(made: Scene) -> None:
    kept, gone = made.push("1.0.0", created=100), made.push("1.0.1", created=100)
    write(made, "images.txt", "ghcr.io/octo/app:1.0.0\r\n", "utf-16")
    made.delete(older_than="30d", keep_referenced_in="images.txt")
    assert (made.has(kept), made.has(gone)) == (True, False)


def test_a_template_is_read_as_text_and_told(made: Scene) -> None:
    kept, gone = made.push("1.0.0", created=100), made.push("1.0.1", created=100)
    write(made, "values.yaml", "# {{ a comment }\nimage: ghcr.io/octo/app:1.0.0\nx: [\n")
    ran = made.delete(older_than="30d", keep_referenced_in="values.yaml")
    assert (made.has(kept), made.has(gone)) == (True, False)
    assert "read as text" in ran.log


def test_braces_in_a_comment_hide_no_pair(made: Scene) -> None:
    kept, gone = made.push("1.0.0", created=100), made.push("1.0.1", created=100)
    write(made, "values.yaml", "# {{ .Values }}\nimage:\n  repository: octo/app\n  tag: 1.0.0\n")
    made.delete(older_than="30d", keep_referenced_in="values.yaml")
    assert (made.has(kept), made.has(gone)) == (True, False)


def test_a_platform_that_is_referred_to_keeps_its_image(made: Scene) -> None:
    kept, gone = made.push("1.0.0", created=100), made.push("1.0.1", created=100)
    write(made, "images.txt", f"ghcr.io/octo/app@{kept.children[0]}\n")
    made.delete(older_than="30d", keep_referenced_in="images.txt")
    assert (made.has(kept), made.has(gone)) == (True, False)


def test_referenced_images_take_no_keep_place(made: Scene) -> None:
    images = [made.push(f"1.0.{number}", created=100 - number) for number in range(4)]
    write(made, "images.txt", "ghcr.io/octo/app:1.0.3\n")
    made.delete(versions="1.*", min_versions_to_keep="1", keep_referenced_in="images.txt")
    assert [made.has(image) for image in images] == [False, False, True, True]


def test_unlisted_versions_and_unnamed_packages_are_told(made: Scene) -> None:
    made.push("1.0.0", created=100)
    made.push("2.0.0", created=1)
    write(made, "images.txt", "ghcr.io/octo/app:9.9.9\n")
    write(made, "others.txt", "ghcr.io/octo/other:1\n")
    ran = made.delete(older_than="30d", keep_referenced_in="images.txt", dry_run="true")
    assert "images.txt:1 (9.9.9) refer to versions that are not listed" in ran.log
    ran = made.delete(older_than="30d", keep_referenced_in="others.txt", dry_run="true")
    assert "no file of others.txt names the package" in ran.log


def test_a_keep_rule_keeps_what_its_files_refer_to(made: Scene) -> None:
    kept, gone = made.push("1.0.0", created=100), made.push("1.0.1", created=100)
    write(made, "images.txt", "ghcr.io/octo/app:1.0.0\n")
    write(
        made,
        "policy.yml",
        "packages:\n  - type: container\n    name: app\n    keep:\n      - referenced-in: images.txt\n"
        "    delete:\n      - older-than: 30d\n",
    )
    ran = made.delete(policy_file="policy.yml", package_type="", package_name="")
    assert (made.has(kept), made.has(gone)) == (True, False)
    assert "referenced in images.txt:1" in ran.summary + ran.log


def test_a_lock_file_keeps_a_version_of_another_type(made: Scene) -> None:
    lib = made.world.add_package("octo", "npm", "lib")
    for name in ("1.0.0", "1.0.1", "1.0.2"):
        made.world.add_version(lib, name, created=100)
    write(
        made,
        "package-lock.json",
        '{"lockfileVersion": 3, "packages": {"node_modules/@octo/lib": {"version": "1.0.1"}}}\n',
    )
    made.step(
        package_type="npm", package_name="lib", versions="1.0.[01]", keep_referenced_in="package-lock.json"
    )
    assert {version.name for version in lib.active()} == {"1.0.1", "1.0.2"}
