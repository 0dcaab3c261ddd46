"""Runs a command with DATABASE_URL set to a PostgreSQL server: the one that DATABASE_URL names already, or one that
is started for the command alone from the system's programs and thrown away afterwards.

PostgreSQL refuses to run as root, so when root calls, the server runs as the user postgres.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

DEBIAN = Path("/usr/lib/postgresql")  # Debian keeps the server's programs out of PATH
HASTY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")  # nothing outlives the command


def program(name: str) -> str | None:
    newest_first = sorted(DEBIAN.glob(f"*/bin/{name}"), key=lambda one: int(one.parts[-3]), reverse=True)
    return shutil.which(name) or next((str(one) for one in newest_first), None)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def run_with(command: list[str], address: str) -> int:
    process = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": address})
    try:
        return process.wait()
    finally:  # also when a signal ends this program, so that nothing outlives it
        if process.poll() is None:
            process.terminate()
            process.wait()


def make(programs: dict[str, str], folder: Path, user: str | None) -> None:
    """An empty cluster below the folder. Raises CalledProcessError."""
    command = [programs["initdb"], "-D", str(folder / "data"), "-U", "tillbridge", "-A", "trust", "-E", "UTF8"]
    subprocess.run(command, check=True, user=user, stdout=subprocess.DEVNULL, cwd=str(folder))


def start(
    programs: dict[str, str], folder: Path, port: int, user: str | None, options: Sequence[str] = HASTY
) -> subprocess.Popen[bytes]:
    command = [programs["postgres"], "-D", str(folder / "data"), "-p", str(port), "-h", "127.0.0.1", "-k", str(folder)]
    command += [f"-c{one}" for one in ("max_connections=200", *options)]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, cwd=str(folder), user=user)


def wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        if server.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"PostgreSQL did not start:\n{log.read_text()}")


def main() -> int:
    command = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        return run_with(command, os.environ["DATABASE_URL"])
    programs = {name: found for name in ("initdb", "postgres") if (found := program(name))}
    user = account_for_the_server()
    if len(programs) < 2 or (os.geteuid() == 0 and not user):
        print("Skipped: no PostgreSQL server here (Debian: apt-get install postgresql), and DATABASE_URL names none.")
        return 1 if os.environ.get("TILLBRIDGE_NO_SKIP") else 0
    with tempfile.TemporaryDirectory(prefix="tillbridge-postgres-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
        port = free_port()
        name_of_user = user.pw_name if user else None
        make(programs, folder, name_of_user)
        server = start(programs, folder, port, name_of_user)
        try:
            wait_for(port, server, folder / "log")
            return run_with(command, f"postgres://tillbridge@127.0.0.1:{port}/postgres")
        finally:
            server.send_signal(signal.SIGINT)  # the fast shutdown
            server.wait(timeout=30)


def account_for_the_server() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return None


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except subprocess.CalledProcessError as error:
        sys.exit(f"PostgreSQL could not be set up: {error}")
