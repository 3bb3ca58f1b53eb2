"""The songs' owners: their headers, the site lines that each wants, and looks at what came out."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from engine_hand import Engine

NAME = "songs"
OURS = (
    "ai_status",
    "ai_error_message",
    "ai_reasoning",
    "ai_context_used",
    "ai_energy",
    "ai_accessibility",
    "ai_subgenre_1",
    "ai_subgenre_2",
    "ai_subgenre_3",
)
ANSWERED = {"SUCCESS", "HUMAN_REVIEW"}

Row = tuple[str, ...]


class Export(NamedTuple):
    """One kind of file: its site lines, how it is written, and what becomes of its first row."""

    site: str
    text: str
    asked: str
    target: str
    label: str
    bom: bool = False


CATALOGUE = "title,artist,energy,isrc,bpm,subgenre,artwork,source_file"

_SPOTIFY_SITE = """
[songs.source]
text = "{Artist} - {Song}"
id = "ISRC"
name = "no. {#}: {Song}"
"""
_SPOTIFY = (
    "#,Song,Artist,Popularity,BPM,Genres,Parent Genres,Album,Album Date,Time,Dance,Energy,"
    "Acoustic,Instrumental,Happy,Speech,Live,ISRC,,\n"
    '1,"Night, Fever\n(Live)",""" Bee """,70,109,"disco,\nsoft rock",Pop,"A\r\nB",1977,3:32,70,57,'
    "11,0,84,3,9,GBAAA7700001,,\n"
    "2,Plain,Somebody,1,1,,,,,,,,,,,,,NULL,,\n"
)

EXPORTS = {
    "the catalogue of 12 files, which needs no line": Export(
        "",
        f'{CATALOGUE}\n"Blue (""12"""" Mix"")",  "Vega, M." ,3,NULL,96,Disco,,a.csv\n'.replace(
            '""12"""" Mix""', '""12 inch"" Mix'
        ).replace('  "Vega, M." ', '"  Vega, M. "'),
        '  Vega, M.  - Blue ("12 inch" Mix)',
        "content ",
        '  Vega, M.  - Blue ("12 inch" Mix)',
    ),
    "Artist,Name": Export(
        '[songs.source]\ntext = "{Artist} - {Name}"\nid = "ISRC"\nname = "{Name} by {Artist}"\n',
        "Artist,Name,Energy,BPM,Subgenre,ISRC\nÅse,Søl,4,120,Rai,QZ001\n",
        "Åse - Søl",
        "QZ001",
        "Søl by Åse",
    ),
    "Artist,Name with a BOM": Export(
        '[songs.source]\ntext = "{Artist} - {Name}"\nid = "ISRC"\n',
        "Artist,Name,Energy,BPM,Subgenre,ISRC\nÅse,Søl,4,120,Rai, null \n",
        "Åse - Søl",
        "content ",
        "Åse - Søl",
        bom=True,
    ),
    "Artist,Name with tags": Export(
        '[songs.source]\ntext = "{Artist} - {Name}"\nid = "ISRC"\n',
        "Artist,Name,Energy,BPM,Subgenre,ISRC,ACCESSIBILITY,EXPLICIT,TAGS\n"
        'A,B,4,120,Rai,QZ002,Timeless,false,"x, y"\n',
        "A - B",
        "QZ002",
        "A - B",
    ),
    "Artist,Title": Export(
        '[songs.source]\ntext = "{Artist} - {Title}"\nid = "ISRC"\n',
        "Artist,Title,ISRC,Energy Score,Energy Label,Flags\nA,B,QZ003,7,High,\n",
        "A - B",
        "QZ003",
        "A - B",
    ),
    "Spotify": Export(
        _SPOTIFY_SITE,
        _SPOTIFY,
        '" Bee " - Night, Fever\n(Live)',
        "GBAAA7700001",
        "no. 1: Night, Fever\n(Live)",
    ),
}


def catalogue(*songs: tuple[str, str] | tuple[str, str, str]) -> list[Row]:
    """Return rows of the 12 files: of title, artist and, where it has one, isrc."""
    return [
        (title, artist, "3", isrc[0] if isrc else "NULL", "96", "Nu disco", "", "a.csv")
        for title, artist, *isrc in songs
    ]


def songs(count: int, first: int = 0) -> list[Row]:
    """Return so many rows of different songs."""
    return catalogue(*((f"Song {number}", "Somebody") for number in range(first, first + count)))


def write(
    path: Path, rows: Iterable[Sequence[str]], header: str | Sequence[str] = CATALOGUE
) -> Path:
    """Write a CSV as the catalogue's owners do; return its path."""
    names = header.split(",") if isinstance(header, str) else header
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([names, *rows])
    return path


def read(path: Path) -> tuple[Row, list[Row]]:
    """Return a CSV's header and rows."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = (tuple(record) for record in csv.reader(file, strict=True))
    return header, rows


def ours(path: Path) -> list[dict[str, str]]:
    """Return what stands in our columns of each row."""
    header, rows = read(path)
    return [
        {name: value for name, value in zip(header, row, strict=True) if name in OURS}
        for row in rows
    ]


def statuses(path: Path) -> list[str]:
    """Return each row's ai_status."""
    return [each["ai_status"] for each in ours(path)]


def run(engine: Engine, csv_in: Path | str, csv_out: Path | str, **options: object) -> str:
    """Run to a good end; return what the run says."""
    return engine.summary(name=NAME, csv_in=str(csv_in), csv_out=str(csv_out), **options)


def asked(engine: Engine) -> list[str]:
    """Return every text that was ever sent, as the service got it."""
    return sorted(
        each["request"]["contents"][0]["parts"][0]["text"]
        for key in engine.billed()
        for each in engine.http.get(f"/requests/{key}").json()["requests"]
    )
