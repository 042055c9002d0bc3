"""What the image is made of."""

import os
import shutil
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest
from scripts.finish_image import LEFT_OUT

from image.engine import BASE, HOME, IMAGE, OLDER_BASE, ROOT, in_image, inspect, podman
from package_retention.inputs.table import INPUTS

pytestmark = [pytest.mark.image, pytest.mark.timeout(600)]  # whole builds, which fetch wheels

PYTHON = f"{HOME}/bin/python"
MOST_ADDED = 25_000_000
LAZY = "defusedxml.ElementTree, humanize, isodate, msgspec, nodesemver, regex, ruamel.yaml"


def test_it_adds_little_to_its_base(record_property: Callable[[str, object], None]) -> None:
    added = inspect(IMAGE)["Size"] - inspect(BASE)["Size"]
    record_property("image size over base", f"{added / 1e6:.1f} MB (at most {MOST_ADDED / 1e6:.0f})")
    assert 0 < added <= MOST_ADDED


def test_it_runs_as_the_runner_demands() -> None:
    config = inspect(IMAGE)["Config"]
    assert config.get("User", "") == ""
    assert config.get("WorkingDir", "") in ("", "/")
    assert config["Entrypoint"][0].startswith("/")
    assert config["Entrypoint"][-1] == f"{HOME}/entrypoint.py"


def test_it_says_what_it_is() -> None:
    labels = inspect(IMAGE)["Labels"]
    wanted = {"title", "description", "licenses", "source", "version", "revision"}
    assert wanted <= {
        label.removeprefix("org.opencontainers.image.") for label, text in labels.items() if text
    }


def test_no_installer_and_no_build_tool_is_in_it() -> None:
    for python in ("python", PYTHON):
        tried = in_image("/usr/bin/env", python, "-m", "pip", "--version", check=False)
        assert tried.status == 1
        assert "No module named pip" in tried.err
    assert in_image("/usr/bin/env", "python", "-c", "import ensurepip", check=False).status == 1
    for tool in ("pip", "pip3", "uv", "cc", "gcc", "make"):
        assert in_image("/bin/sh", "-c", f"command -v {tool}", check=False).out == ""


def test_its_libraries_are_the_locked_ones_each_with_its_metadata() -> None:
    locked = {
        line.split("==")[0].replace("-", "_").replace(".", "_").lower()
        for line in (ROOT / "requirements" / "runtime.txt").read_text().splitlines()
        if "==" in line and "sys_platform == 'win32'" not in line
    }
    listed = in_image(
        "/bin/sh", "-c", f"cd {HOME}/lib/python3*/site-packages && ls -d *.dist-info/METADATA"
    ).out
    found = {line.split("-")[0].replace(".", "_").lower() for line in listed.split()}
    assert found == locked - {*LEFT_OUT}


def test_what_a_token_in_a_header_never_needs_is_left_out() -> None:
    """PyGithub imports PyNaCl, and PyJWT tries `cryptography`: both load without, and what needs them says why."""
    code = """
import importlib.util as util
import github.PublicKey, jwt
assert not [name for name in ("_cffi_backend", "cffi", "cryptography", "pycparser") if util.find_spec(name)]
try:
    github.PublicKey.encrypt("a2V5", "text")
except RuntimeError as error:
    print(error)
"""
    said = in_image(PYTHON, "-I", "-B", "-c", code).out
    assert said == "PublicKey needs PyNaCl, which the image of Package Retention leaves out\n"


def test_no_package_of_tests_is_in_it() -> None:
    """actions-toolkit installs its own as `tests`, and any program's `import tests` would find them."""
    code = "import importlib.util as util; print(util.find_spec('tests'), util.find_spec('actions_toolkit').name)"
    assert in_image(PYTHON, "-I", "-B", "-c", code).out == "None actions_toolkit\n"


def test_no_file_raises_privileges_that_its_base_does_not_have() -> None:
    command = ("/usr/bin/find", "/", "-xdev", "-type", "f", "-perm", "/6000")
    found = in_image(*command).out.split()
    assert set(found) <= set(in_image(*command, image=BASE).out.split())


def test_it_builds_on_an_older_python() -> None:
    name = "localhost/on-older-python"
    build = ("--quiet", "--network=host", f"--build-arg=BASE={OLDER_BASE}", f"--tag={name}")
    try:
        podman("build", *build, str(ROOT))
        assert (
            in_image(PYTHON, "-c", "import sys; print(sys.version_info[:2])", image=name).out == "(3, 13)\n"
        )
        assert "--package-type " in podman("run", "--rm", "--network=none", name, "--help").out
    finally:
        podman("rmi", "--force", name, check=False)


def test_licence_texts_come_along() -> None:
    listed = in_image("/usr/bin/find", HOME, "-iname", "*LICEN[CS]E*", "-type", "f").out.split()
    assert f"{HOME}/LICENSE" in listed
    assert sum(".dist-info/" in path for path in listed) >= 15


def test_everything_imported_is_compiled_already() -> None:
    code = f"import sys; sys.path.insert(0, '{HOME}/src'); import package_retention.app, {LAZY}"
    told = in_image(PYTHON, "-I", "-B", "-v", "-X", f"pycache_prefix={HOME}/pycache", "-c", code).err
    compiled_now = [
        line for line in told.splitlines() if line.startswith("# code object from") and ".py'" in line
    ]
    assert "package_retention/app" in told
    assert compiled_now == []


def test_no_run_writes_into_it() -> None:
    """A container that is kept after its run differs from its image in nothing but mounts."""
    name = "package-retention-written"
    try:
        podman("run", f"--name={name}", "--network=none", IMAGE, check=False)
        changed = [line for line in podman("diff", name).out.splitlines() if HOME in line]
        assert changed == []
    finally:
        podman("rm", "--force", name)


def test_two_builds_are_one_image(tmp_path: Path) -> None:
    """Another checkout, another umask, other times and an empty cache give the same layers."""
    copy = tmp_path / "checkout"
    names = ["Dockerfile", ".dockerignore", "LICENSE", "action.yml", "entrypoint.py"]
    names += ["requirements", "scripts", "src"]
    copy.mkdir()
    for name in names:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name)
        else:
            shutil.copyfile(ROOT / name, copy / name)
    for path in copy.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
        os.utime(path, (1_234_567_890, 1_234_567_890))
    podman(
        "build",
        "--quiet",
        "--no-cache",
        "--network=host",
        "--timestamp=0",
        "--tag=localhost/again",
        str(copy),
    )
    try:
        assert inspect("localhost/again")["RootFS"]["Layers"] == inspect(IMAGE)["RootFS"]["Layers"]
    finally:
        podman("rmi", "localhost/again")


def test_the_cold_start_is_told(record_property: Callable[[str, object], None]) -> None:
    """A refusal without inputs: the container's start, the interpreter's, all imports, and the end."""
    step = ("--rm", "--network=none", "--env=GITHUB_ACTIONS=true")
    runs = [podman("run", *step, IMAGE, check=False) for _ in range(3)]
    idle = [in_image("/bin/true") for _ in range(3)]
    start, empty = (statistics.median(run.seconds for run in some) for some in (runs, idle))
    record_property(
        "cold start to refusal", f"{start:.2f} s, of which {empty:.2f} s are an empty container's"
    )
    assert {run.status for run in runs} == {1}
    assert all("package-type" in run.out for run in runs)


def test_it_explains_itself() -> None:
    told = podman("run", "--rm", "--network=none", IMAGE, "--help").out
    assert all(f"--{each.name} " in told for each in INPUTS)
    assert "unless --token is given" in told
