"""The image of a release, as it lies in the registry: one index over both architectures, each with its SBOM."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.image_blobs import blob
from scripts.release import ReleaseError
from scripts.release_context import Release, command

ARCHITECTURES = ("amd64", "arm64")
REVISION = "org.opencontainers.image.revision"
SPDX = "https://spdx.dev/Document"


def found(release: Release) -> str:
    """Return the digest that the release's tag of the image has, or nothing if it cannot be read.

    Raises:
        ReleaseError: The tag belongs to another commit.
    """
    reference = f"{release.image}:{release.version}"
    known = command("docker", "buildx", "imagetools", "inspect", "--raw", reference)
    if known.returncode:
        return ""
    check_revision(json.loads(known.stdout), reference, release.environ["COMMIT"])
    return digest_of(release, reference)


def check_revision(index: Mapping[str, Any], reference: str, commit: str) -> None:
    """Hold the commit that an image was built from against the one that is released.

    Raises:
        ReleaseError: They differ.
    """
    revision = index.get("annotations", {}).get(REVISION)
    if revision != commit:
        raise ReleaseError(
            f"{reference} was built from {revision or 'an unknown commit'}, and {commit} is to be released:"
            " delete that version on the package's page, or release another number"
        )


def digest_of(release: Release, reference: str) -> str:
    """Return an image's digest; a format that begins with `{{.Manifest` prints a table in its place."""
    return release.run(
        "docker", "buildx", "imagetools", "inspect", reference, "--format", "{{print .Manifest.Digest}}"
    )


def join(release: Release) -> None:
    """Tag both architectures as one image, unless an earlier run did, and write their SBOMs to files.

    Raises:
        ReleaseError: The tag belongs to another commit, or the image lacks a part.
    """
    commit, reference = release.environ["COMMIT"], f"{release.image}:{release.version}"
    known = command("docker", "buildx", "imagetools", "inspect", "--raw", reference)
    if known.returncode and "not found" not in known.stderr:
        raise ReleaseError(f"{reference} could not be looked up: {known.stderr.strip()[-600:]}")
    if known.returncode:
        built = [release.environ[name] for name in ("AMD64", "ARM64")]
        if not all(built):
            raise ReleaseError(
                f"{reference} is gone since this run began, and nothing was built: run it again from the start"
            )
        annotations = [
            f"--annotation=index:{name}={value}" for name, value in described(release, commit).items()
        ]
        sources = [f"{release.image}@{digest}" for digest in built]
        release.run("docker", "buildx", "imagetools", "create", "--tag", reference, *annotations, *sources)
    digest = digest_of(release, reference)
    index = raw(release, digest)
    check_revision(index, reference, commit)
    platforms = {name: write_sbom(release, index, name) for name in ARCHITECTURES}
    release.output(digest=digest, **platforms)


def described(release: Release, commit: str) -> dict[str, str]:
    """Return the annotations of the index; GitHub shows an image of several platforms by these."""
    source = f"{release.environ['GITHUB_SERVER_URL']}/{release.environ['GITHUB_REPOSITORY']}"
    return {
        "org.opencontainers.image.title": "Package Retention",
        "org.opencontainers.image.description": "Deletes and restores versions of GitHub Packages without breaking what stays",
        "org.opencontainers.image.licenses": "MIT",
        "org.opencontainers.image.source": source,
        "org.opencontainers.image.version": release.version,
        REVISION: commit,
    }


def raw(release: Release, digest: str) -> dict[str, Any]:
    """Return a manifest of the image."""
    text = release.run("docker", "buildx", "imagetools", "inspect", "--raw", f"{release.image}@{digest}")
    found: dict[str, Any] = json.loads(text)
    return found


def write_sbom(release: Release, index: Mapping[str, Any], architecture: str) -> str:
    """Write one platform's SBOM to `sbom-ARCHITECTURE.spdx.json` in the temporary folder; return the platform's digest.

    Raises:
        ReleaseError: The image has no such platform, or no SBOM of it.
    """
    digests = [
        one["digest"]
        for one in index["manifests"]
        if one.get("platform", {}).get("architecture") == architecture
    ]
    if len(digests) != 1:
        raise ReleaseError(f"the image has {len(digests)} platforms of {architecture} instead of one")
    for one in index["manifests"]:
        if one.get("annotations", {}).get("vnd.docker.reference.digest") != digests[0]:
            continue
        for layer in raw(release, one["digest"])["layers"]:
            if layer.get("annotations", {}).get("in-toto.io/predicate-type") == SPDX:
                statement = json.loads(blob(release.image, layer["digest"], release.environ))
                path = Path(release.environ["RUNNER_TEMP"], f"sbom-{architecture}.spdx.json")
                path.write_text(json.dumps(statement["predicate"]), "utf-8")
                return str(digests[0])
    raise ReleaseError(f"the image has no SBOM of {architecture}")


def pull(release: Release) -> None:
    """Pull both platforms without any credentials, as runners do.

    Raises:
        ReleaseError: The image cannot be had; after the first push, because the package is still private.
    """
    owner, name = release.environ["GITHUB_REPOSITORY"].split("/")
    nobody = Path(release.environ["RUNNER_TEMP"], "no-credentials")
    nobody.mkdir(exist_ok=True)
    reference = f"{release.image}@{release.environ['DIGEST']}"
    for architecture in reversed(ARCHITECTURES):  # amd64 last: it stays, to be run
        done = command(
            *(
                "docker",
                "--config",
                str(nobody),
                "pull",
                "--quiet",
                "--platform",
                f"linux/{architecture}",
                reference,
            )
        )
        if done.returncode:
            raise ReleaseError(
                f"{reference} cannot be pulled without credentials ({done.stderr.strip()[-300:]}).\n"
                "A package is private after its first push. Make it public, once:\n"
                f"  1. Open https://github.com/{owner}/{name}/pkgs/container/{name.lower()} and there Package settings.\n"
                "  2. Danger Zone > Change visibility > Public. In an organization, its settings must allow public\n"
                "     packages: Organization settings > Packages > Package creation.\n"
                "  3. In this run: Re-run jobs > Re-run failed jobs. It goes on here."
            )
