"""A backfill drafted from a table as it is: declaration, prompt, site lines, target's table."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from deployments.new import targets
from deployments.new.fields import NEW_FIELDS, Field, call, proposed, quoted
from deployments.new.wish import Wish
from tasks import backfills
from tasks.adapters import catalog, site
from tasks.adapters.catalog import Relation
from tasks.adapters.migrations import pending_migrations
from tasks.adapters.pages import render
from tasks.adapters.postgres import Connection, statements
from tasks.core.backfill import Backfill
from tasks.core.errors import PreflightError, SettingsError
from tasks.core.example import columns_of
from tasks.core.identity import table_name
from tasks.core.places import NewRows, Rows
from tasks.core.site import configure
from tasks.core.template import TemplateError, parse
from tasks.planning.tables_fit import fit

_SQL = statements("engine/new.sql")
Section = dict[str, Any]


@dataclass(frozen=True)
class Draft:
    """What is to be written; an instance of another declaration has site lines alone.

    Attributes:
        site: lines for the site file, or nothing.
        create: what makes the target's table, where it is not there.
    """

    name: str
    declaration: str
    prompt: str
    site: str
    create: sql.Composed | None
    notes: tuple[str, ...]


def draft(connection: Connection, wish: Wish) -> Draft:
    """Return a backfill that passes preflight; raise a sentence for what cannot be."""
    wish.check(backfills.names())
    if pending := pending_migrations(connection):
        raise PreflightError(
            f"The ledger's schema is old or absent ({len(pending)} migrations): `make up`, or"
            " `make deploy` for a database of your own, brings it up to date."
        )
    source = catalog.relation(connection, wish.table, "TABLE")
    catalog.column(source, wish.id, "ID")
    text = _template(source, wish.text)
    if wish.of:
        return _instance(connection, wish, source, text)
    return _declaration(connection, wish, source, text)


def _template(source: Relation, text: str) -> str:
    """Return the text's template, of a column's name that column's."""
    template = text if "{" in text and text not in source.columns else f"{{{text}}}"
    try:
        columns = parse(template).columns
    except TemplateError as error:
        raise SettingsError(f"TEXT cannot be read: {error}") from None
    for name in columns:
        catalog.column(source, name, "TEXT")
    return template


def _declaration(connection: Connection, wish: Wish, source: Relation, text: str) -> Draft:
    target = source if wish.is_in_place else targets.existing(connection, wish.goes_to)
    target_id = wish.id if wish.is_in_place else targets.id_column(target, wish.table, wish.id)
    fields, notes = _fields(connection, wish, target, target_id, parse(text).columns)
    module = _module(wish, text, target_id, fields)
    section: Section = {"source": {"where": wish.where}} if wish.where else {}
    backfill = _configured(_loaded(wish.name, module), wish.name, section)
    create = None if target else targets.statement(connection, backfill, source)
    _check(connection, backfill, create)
    prompt = render(
        "new_prompt.jinja",
        table=table_name(wish.table).name,
        columns=parse(text).columns,
        fields=fields,
    )
    notes = [*notes, *_declared_already(target)]
    return Draft(wish.name, module, prompt, toml(wish.name, section), create, tuple(notes))


def _instance(connection: Connection, wish: Wish, source: Relation, text: str) -> Draft:
    declared = backfills.declared()
    if wish.of not in declared:
        near = catalog.nearest(wish.of, declared)
        meant = f"did you mean {near}?" if near else f"there are: {', '.join(declared)}."
        raise SettingsError(f"OF={wish.of} names no declaration; {meant}")
    base = declared[wish.of]
    if not isinstance(base.source, Rows):
        raise SettingsError(
            f"{wish.of} takes its rows from CSV files, not from a table: name another."
        )
    section: Section = {"of": wish.of, "source": _source_lines(base.source, wish, source, text)}
    create, target = None, None
    if isinstance(base.target, NewRows):
        target = targets.existing(connection, wish.goes_to)
        target_id = targets.id_column(target, wish.table, wish.id)
        section["target"] = {"table": wish.goes_to, "id": target_id}
    backfill = _configured(base, wish.name, section)
    if isinstance(base.target, NewRows) and target is None:
        create = targets.statement(connection, backfill, source)
    _check(connection, backfill, create)
    return Draft(wish.name, "", "", toml(wish.name, section), create, ())


def _source_lines(declared: Rows, wish: Wish, source: Relation, text: str) -> Section:
    """Return a site's source; what is declared for the other table alone is taken away."""
    lines = {"table": wish.table, "id": wish.id, "text": text}
    if wish.where or declared.where:
        lines["where"] = wish.where
    named = parse(declared.name).columns if declared.name else ()
    return {**lines, **({"name": ""} if set(named) - set(source.columns) else {})}


def _fields(
    connection: Connection,
    wish: Wish,
    target: Relation | None,
    target_id: str,
    asked: Sequence[str],
) -> tuple[Sequence[Field], list[str]]:
    """Return a field for each column that answers may fill, and why others are left out."""
    if target is None:
        words = " or ".join(NEW_FIELDS[0].words)
        return NEW_FIELDS, [f"The label ({words}) is a proposal: change it in both files."]
    query = sql.SQL(_SQL["some_rows"]).format(table=target.identifier)
    rows = [row["found"] for row in connection.execute(query)]
    own = {*targets.engines_own(target_id), *(asked if wish.is_in_place else ())}
    named = wish.columns or tuple(_open(target, rows, own, in_place=wish.is_in_place))
    found, notes = [], []
    for name in named:
        column = catalog.column(target, name, "COLUMNS")
        values = [row[name] for row in rows if row[name] is not None]
        labels = connection.execute(_SQL["enum_labels"], {"oid": target.oid, "column": name})
        if field := proposed(column, values, [row["label"] for row in labels]):
            found.append(field)
        else:
            notes.append(f"{name} ({column.type_name}) is left out: no answer can fill it.")
    if not found:
        raise PreflightError(
            f"{target.table_name} has no column that an answer can fill: add one, or name it by"
            " COLUMNS (in place, only those with nulls are proposed)."
        )
    return found, notes


def _open(
    target: Relation, rows: Sequence[Mapping[str, Any]], own: set[str], *, in_place: bool
) -> Iterator[str]:
    """Yield what is to be filled: in place the columns with nulls, elsewhere all that are ours."""
    for name, column in target.columns.items():
        if name in own or column.is_generated:
            continue
        if not in_place or (not column.is_required and any(row[name] is None for row in rows)):
            yield name


def _module(wish: Wish, text: str, target_id: str, fields: Sequence[Field]) -> str:
    kind = "InPlace" if wish.is_in_place else "NewRows"
    evidence = any(field.name == "quotes" and field.value for field in fields)
    tokens = 10 + sum(field.tokens for field in fields)
    source = (quoted(wish.table), f"id={quoted(wish.id)}", f"text={quoted(text)}")
    target: tuple[str, ...] = (quoted(wish.goes_to), f"id={quoted(target_id)}")
    if wish.is_in_place:
        columns = [quoted(field.column) for field in fields]
        target = (f"columns=({', '.join(columns)}{',' * (len(columns) == 1)})",)
    return render(
        "new_declaration.jinja",
        name=wish.name,
        title=wish.name.replace("_", " ").capitalize(),
        table=table_name(wish.table).shown,
        model=f"{''.join(word.capitalize() for word in wish.name.split('_'))}Answer",
        places=sorted([kind, "Rows"]),
        in_place=wish.is_in_place,
        types={field.type for field in fields},
        has_words=any(field.words for field in fields),
        has_limits=any(field.limits for field in fields),
        has_evidence=evidence,
        fields=fields,
        source=call("Rows", source, 12),
        target=call(kind, target, 12),
        output_tokens=tokens,
        max_output_tokens=max(256, 1 << (4 * tokens - 1).bit_length()),
    )


def _loaded(name: str, module: str) -> Backfill:
    """Return what a drafted module declares."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / f"{name}.py"
        file.write_text(module, encoding="utf-8")
        spec = spec_from_file_location(name, file)
        assert spec  # noqa: S101 - a .py file has a loader
        assert spec.loader  # noqa: S101 - likewise
        loaded = module_from_spec(spec)
        spec.loader.exec_module(loaded)
    backfill: Backfill = loaded.BACKFILL
    return backfill


def _configured(declared: Backfill, name: str, section: Section) -> Backfill:
    """Return the backfill as the site file would have it, beside all that stands there."""
    file = site.path()
    written = site.read(file) if file else {}
    known = {**backfills.declared(), declared.name: declared}
    sections = {**written, **({name: section} if section else {})}
    shown = str(file or site.NAME)
    read = (lambda each: site.lines(file, each)) if file else (lambda _: [])
    return configure(known, sections, shown, read)[name]


def _check(connection: Connection, backfill: Backfill, create: sql.Composed | None) -> None:
    """Raise what preflight would say; a table that is missing is made for as long as that takes."""
    try:
        with connection.transaction(force_rollback=True):
            if create is not None:
                connection.execute(create)
            problems = fit(connection, backfill).problems
    except psycopg.Error as error:
        said = (error.diag.message_primary or str(error)).rstrip(".")
        raise PreflightError(f"The table for the answers cannot be made: {said}.") from None
    if problems:
        raise PreflightError("\n".join(problems))


def _declared_already(target: Relation | None) -> Iterator[str]:
    """Yield a sentence for each declaration whose answers fit into a table that is there."""
    for name, backfill in backfills.declared().items():
        if target and isinstance(backfill.target, NewRows):
            columns = set(columns_of(backfill)) - set(backfill.target.optional)
            if columns <= set(target.columns):
                yield f"{name} fills such a table already: OF={name} needs no module."


def toml(name: str, section: Section) -> str:
    """Return a section of the site file; nothing for one that says nothing."""
    if not section:
        return ""
    plain = {key: value for key, value in section.items() if not isinstance(value, dict)}
    inner = {f"{name}.{key}": value for key, value in section.items() if isinstance(value, dict)}
    tables = {**({name: plain} if plain else {}), **inner}
    return "\n".join(
        "".join([f"[{title}]\n", *(f"{key} = {_toml(value)}\n" for key, value in lines.items())])
        for title, lines in tables.items()
    )


def _toml(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
