"""Runs one system's sandbox alone, until it is interrupted."""

import signal
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import trustme
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from connectors import sandbox_of, systems
from connectors.serving import server


class Command(BaseCommand):
    help = "Starts the sandbox of a system on a port and prints its address and keys."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("system", choices=sorted(systems()))
        parser.add_argument("--port", type=int, default=0, help="0 (the default) takes any free port")
        parser.add_argument("--data", type=Path, help="a folder of recorded resources in place of the sandbox's own")
        parser.add_argument("--state", type=Path, help="a file that keeps the state over restarts")
        parser.add_argument("--journal", type=Path, help="a file that begin, commit and end of every write go to")
        parser.add_argument(
            "--tls", action="store_true", help="serve over TLS, with a certificate authority of its own"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            for file in filter(None, (options["state"], options["journal"])):
                file.parent.mkdir(parents=True, exist_ok=True)
            sandbox = sandbox_of(options["system"])(state_file=options["state"], journal=options["journal"])
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}.") from error
        if options["data"]:
            try:
                sandbox.load_folder(options["data"])
            except (ValueError, OSError) as error:
                raise CommandError(f"{options['data']}: {error}") from error
        certificate = self.certificate(options["system"]) if options["tls"] else None
        try:
            bound = server(sandbox, options["port"], certificate=certificate)
        except (OSError, OverflowError) as error:
            raise CommandError(
                f"Port {options['port']} cannot be used: {error}. Choose another with --port."
            ) from error
        for name, value in sandbox.announcement().items():
            self.stdout.write(f"{name}: {value}")
        if certificate:
            self.stdout.write(f"certificate authority: {certificate[0].parent / 'authority.pem'}")
        self.stdout.write("Stop with Ctrl-C.")
        self.stdout.flush()
        for ending in (signal.SIGTERM, signal.SIGINT):  # a shell starts what it runs behind it deaf to SIGINT
            signal.signal(ending, signal.default_int_handler)
        try:
            bound.serve_forever()
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")
        finally:
            bound.server_close()

    def certificate(self, system: str) -> tuple[Path, Path]:
        """The chain and key of a certificate for localhost, with the authority that signed it beside them: a folder for
        each start, so that two sandboxes do not take each other's authority away."""
        above = settings.BASE_DIR / "var" / "tls"
        above.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{system}-", dir=above))
        authority = trustme.CA()
        issued = authority.issue_cert("localhost", "127.0.0.1")
        authority.cert_pem.write_to_path(folder / "authority.pem")
        chain, key = folder / "chain.pem", folder / "key.pem"
        chain.write_bytes(b"".join(one.bytes() for one in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(key)
        return chain, key
