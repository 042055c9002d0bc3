"""Make the files of an image final: prune, byte-compile, and give all one mode and one time.

Run inside the image's build stage, by the environment's own Python:
`finish_image.py ROOT EPOCH`. ROOT is a virtual environment with `src` and `entrypoint.py` beside it;
EPOCH is `SOURCE_DATE_EPOCH`, in seconds.
"""

import importlib
import os
import pkgutil
import py_compile
import shutil
import sys
import sysconfig
from pathlib import Path

# What the code imports only when an input asks for it, and would not be seen otherwise.
LAZY = ("humanize", "isodate", "regex", "ruamel.yaml")
UNUSED_FOLDERS = frozenset({"__pycache__", "include", "locale", "test", "testing", "tests"})
UNUSED_SUFFIXES = frozenset({".c", ".h", ".pxd", ".pyi", ".pyx"})


def prune(root: Path) -> None:
    """Remove tests, translations, type stubs, C sources and console scripts; licences and metadata stay."""
    packages = Path(sysconfig.get_paths()["purelib"])
    for path in sorted(packages.rglob("*"), reverse=True):
        inside_metadata = any(part.endswith(".dist-info") for part in path.relative_to(packages).parts)
        if inside_metadata:
            continue
        if path.is_dir() and path.name in UNUSED_FOLDERS:
            shutil.rmtree(path)
        elif path.suffix in UNUSED_SUFFIXES:
            path.unlink()
    shutil.rmtree(root / "include", ignore_errors=True)
    for script in (root / "bin").iterdir():
        if not script.name.startswith("python"):
            script.unlink()


def import_everything(source: Path) -> None:
    """Import every module of the project and what it imports late, so that `sys.modules` names all that runs."""
    sys.path.insert(0, str(source))
    for module in pkgutil.walk_packages([str(source)]):
        importlib.import_module(module.name)
    for name in LAZY:
        importlib.import_module(name)


def byte_compile(root: Path) -> None:
    """Compile the project, its libraries and the part of the standard library that they import.

    The files go below `root/pycache`, which the image's entry point names as its `pycache_prefix`.
    They are unchecked: sources in an image never change, so no run needs to look at them.
    """
    sys.pycache_prefix = str(root / "pycache")
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    imported = {Path(file) for file in files if file}
    ours = set(root.rglob("*.py"))
    for source in sorted(imported | ours):
        if source.suffix == ".py" and source.is_file() and source != Path(__file__):
            py_compile.compile(
                str(source), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
            )


def same_everywhere(root: Path, epoch: int) -> None:
    """Give every file and folder one mode and one time, whatever the checkout's umask and clock."""
    for path in [root, *root.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (epoch, epoch), follow_symlinks=False)


def main(root: Path, epoch: int) -> None:
    """Finish the tree below `root`."""
    prune(root)
    import_everything(root / "src")
    byte_compile(root)
    same_everywhere(root, epoch)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
