"""Style with its icons, and scripts, under one address that changes whenever one of them does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Response

from ..routing import AdminRoute

FOREVER = "public, max-age=31536000, immutable"
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
STYLE = "style.css"
"""All style sheets in one, in the order of their names, and the icons in it."""
ICONS = "icons.svg"

_FOLDER = Path(__file__).parent.parent / "static"

router = APIRouter(route_class=AdminRoute)


@dataclass(frozen=True, slots=True)
class Bundle:
    """All static files by name, and the hash of them all."""

    files: dict[str, bytes]
    digest: str


@cache
def bundle() -> Bundle:
    """The files of this version, read once."""
    paths = sorted(path for path in _FOLDER.rglob("*") if path.suffix in MEDIA_TYPES)
    files = {path.relative_to(_FOLDER).as_posix(): path.read_bytes() for path in paths}
    sheets = [files.pop(name).decode() for name in sorted(files) if name.endswith(".css")]
    icons = quote((_FOLDER / ICONS).read_text("utf-8").replace("\n", ""), safe=" ='/:,()<>")
    style = "".join(sheets).replace(f"url({ICONS})", f'url("data:image/svg+xml,{icons}")')
    files[STYLE] = _lean(style).encode()
    digest = sha256()
    for name, content in files.items():
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return Bundle(files, digest.hexdigest()[:16])


_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_SPACE = re.compile(r"\s*([{};,>!])\s*|(?<=[\w-]): |\n\s*")


def _lean(style: str) -> str:
    """A style sheet without the space and the comments that are there for its authors."""
    dense = _SPACE.sub(
        lambda found: found[1] or (":" if ":" in found[0] else ""), _COMMENT.sub("", style)
    )
    return dense.replace(";}", "}")


@router.get("/dashboard/assets/{digest}/{name:path}", include_in_schema=False)
async def get_asset(digest: str, name: str) -> Response:
    """A static file, to be kept forever under this address."""
    served = bundle()
    if digest != served.digest or name not in served.files:
        raise HTTPException(404, "no such file")
    media_type = MEDIA_TYPES[Path(name).suffix]
    return Response(served.files[name], media_type=media_type, headers={"Cache-Control": FOREVER})
