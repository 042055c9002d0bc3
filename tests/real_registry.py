"""A real `docker-registry` on loopback, with a token service of the kind that GHCR has."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from scripted_server import Reply, ScriptedServer, Seen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from emulator.shapes import Shape

_SERVICE, _ISSUER = "registry.test", "token service of the tests"


class TokenService:
    """Signs tokens as the registry wants them (distribution, "Token Authentication"); any user name, one password."""

    def __init__(self, password: str) -> None:
        self.password = password
        self.lifetime = 300
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._certificate = self._self_signed()

    @property
    def bundle(self) -> bytes:
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def __call__(self, request: Seen) -> Reply:
        if request.path != "/token":
            return Reply(404)
        given = base64.b64decode(request.headers.get("authorization", "").removeprefix("Basic "))
        if given.partition(b":")[2] != self.password.encode():
            return Reply(403, b'{"errors":[{"code":"DENIED","message":"denied"}]}')
        (scope,) = request.query["scope"]
        kind, name, actions = scope.split(":")
        access = [{"type": kind, "name": name, "actions": actions.split(",")}]
        return Reply(200, json.dumps({"token": self.token(access), "expires_in": self.lifetime}).encode())

    def token(self, access: list[dict[str, Any]]) -> str:
        now = datetime.now(UTC)
        claims = {
            "iss": _ISSUER,
            "aud": _SERVICE,
            "sub": "",
            "jti": "1",
            "iat": now,
            "nbf": now - timedelta(seconds=30),
            "exp": now + timedelta(seconds=self.lifetime),
            "access": access,
        }
        chain = base64.b64encode(self._certificate.public_bytes(serialization.Encoding.DER)).decode()
        return jwt.encode(claims, self._key, "RS256", headers={"x5c": [chain]})

    def _self_signed(self) -> x509.Certificate:
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, _ISSUER)])
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder(name, name, self._key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )


@dataclass
class RealRegistry:
    """A running registry; `push` and `delete` are what a user's tools do beside the action."""

    url: str
    realm: ScriptedServer | None = None
    service: TokenService | None = None
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://")

    def push(self, name: str, one: Shape, reference: str = "") -> None:
        """Push a manifest, its blobs first; under its digest unless under a tag."""
        for digest, blob in one.blobs.items():
            started = self._send("POST", f"{self.url}/v2/{name}/blobs/uploads/", name)
            location = started.headers["Location"]
            self._send("PUT", f"{location}{'&' if '?' in location else '?'}digest={digest}", name, data=blob)
        url = f"{self.url}/v2/{name}/manifests/{reference or one.digest}"
        self._send("PUT", url, name, data=one.body, headers={"Content-Type": one.media_type})

    def delete(self, name: str, digest: str) -> None:
        self._send("DELETE", f"{self.url}/v2/{name}/manifests/{digest}", name)

    def _send(self, method: str, url: str, name: str, **more: Any) -> requests.Response:
        headers = dict(more.pop("headers", {}))
        if self.service:
            access = [{"type": "repository", "name": name, "actions": ["pull", "push", "delete"]}]
            headers["Authorization"] = f"Bearer {self.service.token(access)}"
        answer = self.session.request(method, url, headers=headers, timeout=30, **more)
        assert answer.ok, (method, url, answer.status_code, answer.text)
        return answer


@contextmanager
def real_registry(folder: Path, *, password: str = "") -> Iterator[RealRegistry]:
    """Run a registry whose files lie in `folder`; with a `password`, it wants tokens of a service that checks it."""
    if not password:
        with _process(folder, {}) as url:
            yield RealRegistry(url)
        return
    service = TokenService(password)
    bundle = folder / "bundle.pem"
    bundle.write_bytes(service.bundle)
    with ScriptedServer(service).running() as realm:
        token = {
            "realm": f"{realm.url}/token",
            "service": _SERVICE,
            "issuer": _ISSUER,
            "rootcertbundle": str(bundle),
        }
        with _process(folder, {"auth": {"token": token}}) as url:
            yield RealRegistry(url, realm, service)


@contextmanager
def _process(folder: Path, more: dict[str, Any]) -> Iterator[str]:
    config = {
        "version": 0.1,
        "log": {"level": "info", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}, "delete": {"enabled": True}},
        "http": {"addr": "127.0.0.1:0"},
        **more,
    }
    path = folder / "config.yml"
    path.write_text(json.dumps(config))  # JSON is YAML
    with subprocess.Popen(
        ["docker-registry", "serve", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as run:
        listening, lines = threading.Event(), list[str]()

        def read() -> None:
            assert run.stderr
            for line in run.stderr:
                lines.append(line)
                if "listening on" in line:
                    listening.set()
            listening.set()

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            listening.wait(30)
            found = re.search(r"listening on (127\.0\.0\.1:\d+)", "".join(lines))
            assert found, "".join(lines)
            yield f"http://{found[1]}"
        finally:
            run.terminate()
            reader.join()  # to the end of what it reads, before that is closed
