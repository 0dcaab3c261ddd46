"""Writes .env from .env.example with a secret key of its own."""

import secrets
from pathlib import Path

root = Path(__file__).resolve().parent.parent
text = (root / ".env.example").read_text()
(root / ".env").write_text(text.replace("SECRET_KEY=\n", f"SECRET_KEY={secrets.token_urlsafe(60)}\n"))
print("Wrote .env")
