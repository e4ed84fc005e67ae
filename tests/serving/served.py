"""The page as its users start it: `multitrain serve` as a process, and requests to it."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from jobs.workspace.paths import Workspace

LINK = re.compile(r"The page: (http://[^:]+:(\d+)/#token=(\S+))")
SECONDS = 60.0


class Served:
    """A running `multitrain serve`."""

    def __init__(self, workspace: Workspace, *options: str, port: int = 0) -> None:
        self.workspace = workspace
        command = [
            *(sys.executable, "-m", "multitrain", "serve", "--port", str(port)),
            *("--workspace", str(workspace.root), *options),
        ]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=workspace.root
        )
        assert self.process.stdout
        self.said = self.process.stdout.readline()
        match = LINK.match(self.said)
        if match is None:
            self.process.kill()
            raise AssertionError(self.said + self.process.communicate()[0])
        self.link, self.port, self.token = match[1], int(match[2]), match[3]
        self._drain = threading.Thread(target=self.process.stdout.read, daemon=True)
        self._drain.start()
        self.cookie = self.key = ""

    def enter(self) -> None:
        """Exchange the token, as the page does."""
        status, headers, body = self.call("POST", "/api/enter", {"token": self.token}, plain=True)
        assert status == 200, body
        self.cookie = headers["set-cookie"].partition(";")[0]
        self.key = json.loads(body)["key"]

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str | None] | None = None,
        *,
        plain: bool = False,
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body; `plain`: without cookie and key. None takes a header away."""
        sent: dict[str, str | None] = {"Host": f"127.0.0.1:{self.port}"}
        if not plain:
            sent["Cookie"] = self.cookie
        if method == "POST":
            sent |= {"Content-Type": "application/json", "X-Multitrain-Key": self.key or None}
        sent |= headers or {}
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value.encode("latin-1", "replace"))
            if content is not None:
                connection.putheader("Content-Length", str(len(content)))
            with suppress(BrokenPipeError, ConnectionResetError):  # refused before all was sent
                connection.endheaders(content)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Any:
        """The JSON at this address."""
        status, _, body = self.call("GET", path, headers=headers)
        assert status == 200, (path, status, body)
        return json.loads(body)

    def close(self) -> int:
        """End it as a service manager does; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(10)
        finally:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout
            self._drain.join()
            self.process.stdout.close()
