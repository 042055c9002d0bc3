"""The embedded GitHub speaks https, with a certificate that only its own CA vouches for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from emulator.certificates import loopback
from emulator.server import EmulatedGitHub
from emulator.situations import LIB, Scene

if TYPE_CHECKING:
    from pathlib import Path


def test_https_needs_the_private_ca(tmp_path: Path) -> None:
    scene = Scene()
    context, ca = loopback(tmp_path)
    headers = {"Authorization": f"token {scene.token.value}"}
    with EmulatedGitHub(scene.world, tls=context) as github, requests.Session() as session:
        session.trust_env = False
        url = f"{github.api_url}{LIB}"
        assert url.startswith("https://127.0.0.1:")
        with pytest.raises(requests.exceptions.SSLError):
            session.get(url, headers=headers, timeout=10)
        assert session.get(url, headers=headers, timeout=10, verify=str(ca)).status_code == 200
    assert len(scene.world.requests) == 1
