"""What a refresh takes away."""

from datetime import datetime

from ninja import Schema
from pydantic import Field


class PackagesOut(Schema):
    count: int
    names: list[str] = Field(description="By the alphabet, the first 200.")


class DirectoryOut(Schema):
    path: str
    files: int


class ContentsOut(Schema):
    apt: PackagesOut
    pip: PackagesOut = Field(description="As `name version`.")
    npm: PackagesOut
    files: int = Field(description="Added or changed since the image, those of packages too, outside of workspace and home directory.")
    home_files: int
    directories: list[DirectoryOut] = Field(description="With the most of these files, the first ten.")


class ManifestOut(Schema):
    container_id: str | None
    at: datetime
    contents: ContentsOut | None = Field(description="null where it could not be made.")
    problem: str
    sentence: str = Field(description="All of it for people.")
    layer_mb: float | None = Field(description="Size of what the container wrote, where it was measured lately.")


class KeptManifestOut(Schema):
    id: int
    container_id: str
    at: datetime
    reason: str = Field(description="Why the container was refreshed.")
    contents: ContentsOut | None
    problem: str
    sentence: str


class ManifestList(Schema):
    items: list[KeptManifestOut]
    next: str | None
