"""Make the files of an image final: prune, byte-compile, and give all one mode and one time.

Run inside the image's build stage, by the environment's own Python:
`finish_image.py ROOT EPOCH`. ROOT is a virtual environment with `src` and `entrypoint.py` beside it;
EPOCH is `SOURCE_DATE_EPOCH`, in seconds.
"""

import ast
import importlib
import os
import pkgutil
import py_compile
import shutil
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.metadata import distribution
from pathlib import Path

# Libraries of libraries that a token in a header never needs, 21 MB together. PyJWT signs with `cryptography`
# where it can be imported, and does without it otherwise. PyNaCl, with `cffi` and `pycparser` below it, encrypts
# secrets for PyGithub's `PublicKey`. They stay in the lock file: it describes what pip resolves.
LEFT_OUT = ("cffi", "cryptography", "pycparser", "pynacl")
# PyGithub imports `nacl.encoding` and `nacl.public` when it is imported itself.
NACL = '''"""Stands in for PyNaCl, which this image leaves out: the action encrypts no secrets."""


class _LeftOut:
    def __getattr__(self, name: str) -> object:
        raise RuntimeError(f"{name} needs PyNaCl, which the image of Package Retention leaves out")


encoding = public = _LeftOut()
'''
UNUSED_FOLDERS = frozenset({"__pycache__", "include", "locale", "test", "testing", "tests"})
UNUSED_SUFFIXES = frozenset({".c", ".h", ".pxd", ".pyi", ".pyx"})


def leave_out(names: Iterable[str]) -> None:
    """Remove distributions, with their metadata, and put a stub in the place of PyNaCl.

    Raises:
        importlib.metadata.PackageNotFoundError: One is not installed any more: its name has no place here.
    """
    packages = Path(sysconfig.get_paths()["purelib"])
    for name in names:
        found = distribution(name)
        places = [Path(str(found.locate_file(file))) for file in found.files or ()]
        for place in places:
            place.unlink()
        for folder in sorted({folder for place in places for folder in place.parents}, reverse=True):
            if packages in folder.parents and not any(folder.iterdir()):
                folder.rmdir()
    (packages / "nacl").mkdir()
    (packages / "nacl" / "__init__.py").write_text(NACL, "utf-8")


def prune(root: Path) -> None:
    """Remove tests, translations, type stubs, C sources and console scripts; licences and metadata stay."""
    packages = Path(sysconfig.get_paths()["purelib"])
    for path in sorted(packages.rglob("*"), reverse=True):
        inside_metadata = any(name.endswith(".dist-info") for name in path.relative_to(packages).parts)
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
    """Import every module of the project and what its functions import, so that `sys.modules` names all that runs."""
    sys.path.insert(0, str(source))
    for module in pkgutil.walk_packages([str(source)]):
        importlib.import_module(module.name)
    for name in sorted({name for file in source.rglob("*.py") for name in imported_names(file)}):
        with suppress(ModuleNotFoundError):  # what the image does not have, and the code does without
            importlib.import_module(name)


def imported_names(source: Path) -> Iterator[str]:
    """Yield the module names in a file's import statements, those inside of functions too."""
    for node in ast.walk(ast.parse(source.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


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
    """Set one mode and one time for every file and folder, so that umask and clock of the checkout do not matter."""
    for path in [root, *root.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (epoch, epoch), follow_symlinks=False)


def main(root: Path, epoch: int) -> None:
    """Finish the tree below `root`."""
    leave_out(LEFT_OUT)
    prune(root)
    import_everything(root / "src")
    byte_compile(root)
    same_everywhere(root, epoch)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
