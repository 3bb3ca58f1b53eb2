"""A site's own choices laid over the declarations: `backfills.toml`, checked key by key."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from difflib import get_close_matches
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tasks.core.backfill import Backfill, Options
from tasks.core.errors import SettingsError
from tasks.core.identity import table_name
from tasks.core.model_table import Thinking
from tasks.core.packing import MOST_ROWS
from tasks.core.places import InPlace, NewRows, Rows
from tasks.core.template import TemplateError, parse
from tasks.core.wire import Wire

Section = Mapping[str, Any]
ReadLines = Callable[[str], list[str]]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
_INNER = ("source", "target", "options", "of")


class Plain(BaseModel):
    """What a section may say in one line, all of it optional."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: str = Field(min_length=1)
    extractor_version: str = Field(min_length=1, pattern=r"^\S+$")
    model: str = Field(min_length=1)
    prompt: str = Field(min_length=1)
    temperature: float = Field(ge=0, le=2)
    thinking: Thinking
    max_output_tokens: int = Field(ge=1)
    google_search: bool
    interactive_up_to: int = Field(ge=0)
    waves: list[int] = Field(min_length=1)
    formulas: Literal["quoted", "as_is"]
    wire: Wire
    rows_per_request: int = Field(ge=1, le=MOST_ROWS)


def configure(
    declared: Mapping[str, Backfill], site: Section, file: str, read_lines: ReadLines
) -> dict[str, Backfill]:
    """Return every backfill of an installation by name: as the site has it, and its instances.

    Raises SettingsError with one sentence for the first thing that cannot be.
    """
    found = dict(declared)
    for name, section in site.items():
        found[name] = _Site(name, section, file, read_lines).over(declared)
    _refuse_doubles(found, file)
    return dict(sorted(found.items()))


class _Site:
    """One section of the file."""

    def __init__(self, name: str, section: Any, file: str, read_lines: ReadLines) -> None:  # noqa: ANN401 - whatever TOML has
        self.name, self.file, self.read_lines = name, file, read_lines
        if not isinstance(section, Mapping):
            self._refuse(f"{name} stands outside a section: put it below [a_backfill]")
        self.section: Section = section

    def over(self, declared: Mapping[str, Backfill]) -> Backfill:
        """Return the declared backfill with what the section says."""
        base = self._base(declared)
        lines = {key: value for key, value in self.section.items() if key not in _INNER}
        self._check(Plain, lines)
        if "waves" in lines:
            lines["waves"] = tuple(lines["waves"])
        backfill = replace(
            base,
            **lines,
            name=self.name,
            of=base.declared_as,
            source=self._part(base.source, "source"),
            target=self._part(base.target, "target"),
            options=self._options(base.options),
        )
        self._judge(backfill)
        return replace(backfill, site=_plain(self.section, backfill))

    def _base(self, declared: Mapping[str, Backfill]) -> Backfill:
        of = self.section.get("of", self.name)
        if of in declared:
            if self.name != of and not _NAME.fullmatch(self.name):
                self._refuse(f"'{self.name}' is no name: lower case letters, digits and _")
            return declared[of]
        if "of" in self.section:
            said = f"of names no backfill: {of!r}{_meant(str(of), declared)}"
        else:
            meant = _meant(self.name, declared)
            example = next(iter(declared), "its name")
            said = f'no such backfill{meant}; another instance of one needs a line of = "{example}"'
        raise self._refusal(said)

    def _part(self, declared: Any, key: str) -> Any:  # noqa: ANN401 - one of the declarations' parts
        given = self.section.get(key, {})
        if not isinstance(given, Mapping):
            self._refuse(f"{key} is a section: write [{self.name}.{key}] and its lines below")
        known = [field.name for field in fields(declared)]
        self._refuse_unknown(given, known, f".{key}")
        kind = TypeAdapter(type(declared))
        try:
            return kind.validate_python({**asdict(declared), **given})
        except ValidationError as error:
            self._refuse(f"{key}.{_first(error)}")

    def _options(self, declared: Options) -> Options:
        given = self.section.get("options", {})
        if not isinstance(given, Mapping):
            self._refuse(f"options is a section: write [{self.name}.options]")
        kind = type(declared)
        self._refuse_unknown(given, list(kind.model_fields), ".options")
        chosen = {key: self._listed(key, value) for key, value in given.items()}
        try:
            return kind.model_validate({**declared.model_dump(), **chosen})
        except ValidationError as error:
            raise self._refusal(f"options.{_first(error)}") from None

    def _listed(self, key: str, value: Any) -> Any:  # noqa: ANN401 - whatever TOML has
        """Return a choice; of a list that stands in a file, the file's lines."""
        if not isinstance(value, Mapping):
            return value
        if set(value) != {"file"} or not isinstance(value["file"], str):
            self._refuse(f'options.{key} is a list, or {{ file = "names.txt" }}')
        lines = self.read_lines(value["file"])
        if not lines:
            self._refuse(f"options.{key}: {value['file']} names nothing")
        return lines

    def _check(self, kind: type[BaseModel], given: Section) -> None:
        self._refuse_unknown(given, [*kind.model_fields, *_INNER], "")
        for key, value in given.items():
            field = kind.model_fields[key]
            adapter: TypeAdapter[Any] = TypeAdapter(
                _annotated(field.annotation, field.metadata), config=ConfigDict(strict=True)
            )
            try:
                adapter.validate_python(value)
            except ValidationError as error:
                self._refuse(f"{key}: {_first(error)}")

    def _refuse_unknown(self, given: Section, known: Sequence[str], where: str) -> None:
        if unknown := [key for key in given if key not in known]:
            choices = ", ".join(known) or "nothing"
            self._refuse(
                f"'{unknown[0]}' is unknown{_meant(unknown[0], known)} (known: {choices})", where
            )

    def _judge(self, backfill: Backfill) -> None:
        """Refuse what can be known to be wrong without a database."""
        try:
            parse(backfill.source.text)
            if backfill.source.name:
                parse(backfill.source.name)
            for table in _tables(backfill):
                table_name(table)
            answer = backfill.answer_model
        except (TemplateError, ValueError) as error:
            self._refuse(str(error).rstrip("."))
        if not answer.model_fields:
            self._refuse("its answer has no fields")
        if backfill.output_tokens >= backfill.max_output_tokens:
            self._refuse(
                f"max_output_tokens {backfill.max_output_tokens} leaves no room for answers of"
                f" about {backfill.output_tokens} tokens"
            )
        source, target = backfill.source, backfill.target
        if isinstance(target, InPlace) and isinstance(source, Rows):
            if target.table and target.table != source.table:
                self._refuse(
                    f"target.table is {target.table}, but answers are filled in in place, in"
                    f" {source.table}: leave target.table away"
                )
            if not target.columns:
                self._refuse("target.columns is empty: name the columns that answers fill")

    def _refuse(self, what: str, where: str = "") -> NoReturn:
        raise self._refusal(what, where)

    def _refusal(self, what: str, where: str = "") -> SettingsError:
        return SettingsError(f"{self.file}, [{self.name}{where}]: {what}.")


def _annotated(annotation: Any, metadata: Sequence[Any]) -> Any:  # noqa: ANN401 - a type
    for each in metadata:
        annotation = Annotated[annotation, each]
    return annotation


def _tables(backfill: Backfill) -> Iterable[str]:
    if isinstance(backfill.source, Rows):
        yield backfill.source.table
    if isinstance(backfill.target, NewRows):
        yield backfill.target.table


def _refuse_doubles(found: Mapping[str, Backfill], file: str) -> None:
    """Refuse two backfills that would take each other's rows and checkpoint for their own."""
    by_checkpoint: dict[str, str] = {}
    for name, backfill in found.items():
        other = by_checkpoint.setdefault(backfill.checkpoint, name)
        if other != name:
            raise SettingsError(
                f"{file}, [{name}]: it writes where [{other}] writes, under the same"
                f" extractor_version: give it a target.table or an extractor_version of its own."
            )


def _plain(section: Section, backfill: Backfill) -> dict[str, Any]:
    """Return a section as it is recorded: with what stood in files."""
    chosen = backfill.options.model_dump(mode="json")
    given = section.get("options", {})
    listed = {key: chosen[key] for key in given}
    return {**section, **({"options": listed} if listed else {})}


def _meant(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name.casefold(), known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""


def _first(error: ValidationError) -> str:
    """Return the first thing that is wrong: where, what, and what stands there."""
    first = error.errors()[0]
    place = ".".join(str(step) for step in first["loc"])
    return f"{place}{': ' if place else ''}{first['msg']} (it is {first['input']!r})"
