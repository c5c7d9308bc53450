"""Asking a running daemon how it is, over its own page."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any

from monitor.config import api, locating

_HEALTH_TIMEOUT_S = 5.0


def ask_health(path: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """Ask the running daemon's /health; a daemon that does not answer is down."""
    config = api.load(locating.config_file(path), environ, with_secrets=False)
    address = f"http://{config.web.listen}/health"
    try:
        # Never by a proxy that the environment names: the page is on this machine.
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(address, timeout=_HEALTH_TIMEOUT_S) as answer:
            told: dict[str, Any] = json.load(answer)
            return told
    except (OSError, HTTPException, ValueError) as exc:
        return {"state": "down", "message": f"{address}: {exc}"}
