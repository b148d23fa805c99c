"""Keep one Neo4j server while any of the processes that use it lives; then end it.

    python keeper.py FOLDER PORT JARS

A process that uses the server has a file FOLDER/users/PID. The server's folder goes with it.
Nothing else needs to end it: a test run that is killed has no chance to.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

_OPENED = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")
_EVERY_SECONDS = 0.5
CERTIFICATE = "public.crt"


def command(folder: Path, jars: Path) -> list[str]:
    """Return what starts a server: little memory, and a compiler that is quickly done.

    Not to verify each class that is loaded saves a fifth of the CPU seconds of a start.
    """
    return [
        "java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
        "-XX:+UnlockDiagnosticVMOptions", "-XX:-BytecodeVerificationRemote",
        *(f"--add-opens=java.base/{one}=ALL-UNNAMED" for one in _OPENED),
        "-cp", f"{jars}/*", "org.neo4j.server.CommunityEntryPoint", f"--home-dir={folder}",
        f"--config-dir={folder / 'conf'}", "--console-mode",
    ]  # fmt: skip


def certify(folder: Path) -> bool:
    """Make a certificate that the server signs itself; False where there is no openssl."""
    if (folder / CERTIFICATE).exists():
        return True
    if shutil.which("openssl") is None:
        return False
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-keyout", folder / "private.key", "-out", folder / CERTIFICATE, "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return True


def configure(folder: Path, port: int) -> None:
    """Write the settings of a server whose files are all below one folder."""
    settings = {
        f"server.directories.{name}": folder / name.split(".")[0]
        for name in ("data", "logs", "run", "plugins", "import", "transaction.logs.root")
    }
    settings |= {
        "server.bolt.listen_address": f"127.0.0.1:{port}",
        "server.http.enabled": "false",
        "server.https.enabled": "false",
        "server.memory.pagecache.size": "64m",
        "dbms.security.auth_max_failed_attempts": "0",  # tests give wrong passwords beside others
        "db.tx_log.preallocate": "false",
        "dbms.usage_report.enabled": "false",
    }
    if certify(folder / "certificates"):
        settings |= {
            "server.bolt.tls_level": "OPTIONAL",
            "dbms.ssl.policy.bolt.enabled": "true",
            "dbms.ssl.policy.bolt.base_directory": folder / "certificates",
            "dbms.ssl.policy.bolt.private_key": "private.key",
            "dbms.ssl.policy.bolt.public_certificate": CERTIFICATE,
            "dbms.ssl.policy.bolt.client_auth": "NONE",
        }
    (folder / "conf").mkdir(parents=True, exist_ok=True)
    (folder / "conf/neo4j.conf").write_text(
        "".join(f"{name}={value}\n" for name, value in settings.items())
    )


def start(folder: Path, port: int, jars: Path) -> subprocess.Popen[bytes]:
    """Start a server; what it says goes to FOLDER/output."""
    configure(folder, port)
    with (folder / "output").open("ab") as output:
        return subprocess.Popen(
            command(folder, jars), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )


def used(folder: Path) -> bool:
    """Tell whether a process that uses the server lives."""
    for one in (folder / "users").iterdir():
        try:
            os.kill(int(one.name), 0)
        except ProcessLookupError:
            continue
        return True
    return False


def main(folder: Path, port: int, jars: Path) -> None:
    server = start(folder, port, jars)
    try:
        while server.poll() is None and used(folder):
            time.sleep(_EVERY_SECONDS)
    finally:
        server.kill()  # nothing in it is worth the time of an orderly end
        server.wait()
    if not used(folder):
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
