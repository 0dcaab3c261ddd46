"""Writes .env from .env.example with keys of its own, and adds to an older .env what has come since."""

import base64
import re
import secrets
from pathlib import Path

root = Path(__file__).resolve().parent.parent
own = {
    "SECRET_KEY": secrets.token_urlsafe(60),
    "ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
}
file = root / ".env"
text = file.read_text() if file.exists() else (root / ".env.example").read_text()
for name, value in own.items():
    if not re.search(rf"^{name}=", text, re.MULTILINE):
        text += f"{name}={value}\n"
    text = re.sub(rf"^{name}=$", f"{name}={value}", text, flags=re.MULTILINE)
file.write_text(text)
print("Wrote .env")
