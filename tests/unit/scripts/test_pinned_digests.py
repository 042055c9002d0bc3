"""What a release's action.yml pins is found, or the clean-up does not run."""

import subprocess
from pathlib import Path

import pytest
from scripts.pinned_digests import NotPinnedError, main, pinned_references

FIRST = "ghcr.io/owner/package-retention@sha256:" + "1" * 64
SECOND = "ghcr.io/owner/package-retention@sha256:" + "2" * 64


def action(image: str) -> str:
    return f"name: x\nruns:\n  using: docker\n  image: {image}\n"


def test_each_release_is_named_once() -> None:
    files = {"v1.0.0": action(f"docker://{FIRST}"), "v1.0.1": action(f'"docker://{SECOND}"')}
    assert pinned_references(files | {"v1.0.2": action(f"'docker://{FIRST}'")}) == [FIRST, SECOND]


@pytest.mark.parametrize(
    "image", ["Dockerfile", "docker://ghcr.io/owner/package-retention:1.0.0", f"docker://{FIRST[:-1]}"]
)
def test_a_release_without_a_digest_is_an_error_and_no_gap(image: str) -> None:
    with pytest.raises(NotPinnedError, match=r"v1\.0\.0 names 0 images"):
        pinned_references({"v1.0.0": action(image)})


def test_two_images_are_an_error() -> None:
    with pytest.raises(NotPinnedError, match="names 2 images"):
        pinned_references({"v1.0.0": action(f"docker://{FIRST}\n  image: docker://{SECOND}")})


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    origin = tmp_path / "origin"
    origin.mkdir()
    git(origin, "init", "--quiet")
    return origin


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


def release(folder: Path, image: str, *tags: str) -> None:
    (folder / "action.yml").write_text(action(image))
    git(folder, "add", "action.yml")
    git(folder, "commit", "--allow-empty", "--message", "x")
    for tag in tags:
        git(folder, "tag", "--force", tag)


def test_every_release_tag_counts_and_no_other(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release(repository, f"docker://{FIRST}", "v1.0.0", "v1")
    release(repository, f"docker://{SECOND}", "v1.1.0", "v1")
    release(repository, "Dockerfile", "v1.1.0-rc.1", "vnext")
    assert main(repository) == 0
    assert capsys.readouterr().out.splitlines() == [FIRST, SECOND]


def test_before_the_first_release_the_word_for_nothing_is_printed(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    release(repository, "Dockerfile")
    assert main(repository) == 0
    assert capsys.readouterr().out == "none\n"


def test_a_shallow_clone_is_refused_because_it_lacks_tags(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    release(repository, f"docker://{FIRST}", "v1.0.0")
    release(repository, "Dockerfile")
    git(tmp_path, "clone", "--quiet", "--depth=1", repository.as_uri(), "clone")
    assert main(tmp_path / "clone") == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "fetch-depth: 0" in printed.err


def test_a_release_that_pins_nothing_ends_the_run(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    release(repository, f"docker://{FIRST}", "v1.0.0")
    release(repository, "Dockerfile", "v1.1.0")
    assert main(repository) == 1
    assert capsys.readouterr().out == ""


def test_a_folder_that_is_no_repository_ends_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(tmp_path) == 1
    assert capsys.readouterr().out == ""
