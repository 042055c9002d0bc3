"""The field's own tools on a real registry: skopeo, cosign and oras push, sign, attach, pull and verify images."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from emulator import shapes
from image.face import NAME

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from image.face import RealScene

FOUR = ("linux/amd64", "linux/arm64", "linux/arm/v7", "linux/s390x")


def run(*command: str, cwd: Path | None = None) -> str:
    """Run a tool to its end."""
    environ = {**os.environ, "COSIGN_PASSWORD": "", "COSIGN_YES": "true"}
    done = subprocess.run(
        command, capture_output=True, text=True, env=environ, cwd=cwd, timeout=100, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


class Tools:
    """What a user's workflow does with images."""

    def __init__(self, made: RealScene) -> None:
        self.made = made
        self.folder = made.folder
        self.repository = f"{made.face.registry.host}/{NAME}"
        self._key = self.folder / "cosign.key"

    def reference(self, what: str) -> str:
        return f"{self.repository}{'@' if ':' in what else ':'}{what}"

    def push(self, seed: str, *tags: str, days: float = 0) -> str:
        """Push an image of four platforms, with attestations as BuildKit's, by skopeo; gives its digest."""
        images = [shapes.image(f"{seed} {platform}") for platform in FOUR]
        proofs = [shapes.attestation(one) for one in images]
        entries = [shapes.descriptor(one, p) for one, p in zip(images, FOUR, strict=True)]
        entries += [
            shapes.attestation_descriptor(proof, one) for proof, one in zip(proofs, images, strict=True)
        ]
        index = shapes.index(entries)
        layout = self.layout(seed, index, [*images, *proofs])
        for tag in tags:
            self.skopeo(
                "copy", f"oci:{layout}:it", f"docker://{self.reference(tag)}", "--dest-tls-verify=false"
            )
        self.made.face.look(days)
        return index.digest

    def layout(self, name: str, root: shapes.Shape, others: list[shapes.Shape]) -> Path:
        """An OCI image layout on disk (image-spec 1.1)."""
        place = self.folder / "layouts" / name
        blobs = place / "blobs" / "sha256"
        blobs.mkdir(parents=True)
        for one in (root, *others):
            for digest, body in {one.digest: one.body, **one.blobs}.items():
                (blobs / digest.removeprefix("sha256:")).write_bytes(body)
        entry = shapes.descriptor(root) | {"annotations": {"org.opencontainers.image.ref.name": "it"}}
        (place / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
        (place / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        return place

    def skopeo(self, verb: str, *arguments: str) -> str:
        whole = ("--all", "--preserve-digests") if verb == "copy" else ()
        return run("skopeo", "--insecure-policy", verb, *whole, *arguments)

    def pulls(self, what: str) -> None:
        """Pull an image with every platform."""
        place = self.folder / "pulled"
        shutil.rmtree(place, ignore_errors=True)
        self.skopeo("copy", "--src-tls-verify=false", f"docker://{self.reference(what)}", f"oci:{place}:it")

    def pulls_with_referrers(self, what: str, platforms: Iterable[str] = ()) -> None:
        """Pull a manifest, all that it names to any depth, and all that refers to any of it; then each platform alone."""
        place = self.folder / "pulled"
        shutil.rmtree(place, ignore_errors=True)
        copy = ("oras", "cp", "--from-plain-http", "--to-oci-layout", self.reference(what), f"{place}:it")
        run(*copy, "--recursive")
        for platform in platforms:
            shutil.rmtree(place, ignore_errors=True)
            run(*copy, f"--platform={platform}")

    def push_by_hand(
        self, root: shapes.Shape, below: Iterable[shapes.Shape], *tags: str, days: float = 0
    ) -> None:
        """Push what no tool here pushes: children first, as every client does."""
        for one in below:
            self.made.face.registry.push(NAME, one)
        for tag in tags or ("",):
            self.made.face.registry.push(NAME, root, tag)
        self.made.face.look(days)

    def sign(self, digest: str, *, bundle: bool = True) -> None:
        """Sign with cosign 3: a Sigstore bundle as a referrer, or as cosign 2 did under `sha256-<hex>.sig`."""
        if not self._key.exists():
            run("cosign", "generate-key-pair", cwd=self.folder)
        offline = ("--tlog-upload=false", "--use-signing-config=false")
        self._cosign("sign", self._key, digest, *offline, bundle=bundle)

    def verify(self, digest: str, *, bundle: bool = True) -> int:
        """Verify an image's signatures; gives how many there are."""
        public = self._key.with_suffix(".pub")
        said = self._cosign("verify", public, digest, "--insecure-ignore-tlog", bundle=bundle)
        return len(json.loads(said))

    def _cosign(self, verb: str, key: Path, digest: str, *options: str, bundle: bool) -> str:
        form = f"--new-bundle-format={str(bundle).lower()}"
        where = ("--allow-http-registry", self.reference(digest))
        return run("cosign", verb, f"--key={key}", form, *options, *where)

    def attach(self, digest: str, text: str = "made of nothing") -> None:
        """Attach an SBOM as an OCI referrer; the registry has no referrers API, so oras writes a fallback index."""
        (self.folder / "sbom.txt").write_text(text)
        run(
            "oras",
            "attach",
            "--plain-http",
            "--artifact-type",
            "application/vnd.example.sbom",
            self.reference(digest),
            "sbom.txt:text/plain",
            cwd=self.folder,
        )

    def attached(self, digest: str) -> int:
        found = json.loads(
            run("oras", "discover", "--plain-http", "--format", "json", self.reference(digest))
        )
        return len(found.get("manifests") or found.get("referrers") or ())
