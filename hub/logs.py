"""Log lines without the secret that is part of a webhook's address: Django names the address of what it refuses."""

import logging
import re

from connectors.http import MASK

SECRET_PATH = re.compile(r"(/api/webhooks/[^/\s]+/)[^/\s?\"']+")


class WithoutSecretPaths(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        masked = SECRET_PATH.sub(rf"\1{MASK}", said)
        if masked != said:
            record.msg, record.args = masked, ()
        return True
