"""The user's tables as the database describes them, and sentences for what is not there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from psycopg import sql

from tasks.adapters.postgres import Connection, statements
from tasks.core.errors import PreflightError
from tasks.core.identity import TableName, table_name

_SQL = statements("engine/catalog.sql")
_JSON = ("json", "jsonb")


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `base` is its type's short name, a domain's that of the type below it.

    Its type `is_closed` where it takes certain words only.
    """

    name: str
    type_name: str
    base: str
    is_array: bool
    is_closed: bool
    is_required: bool
    is_generated: bool

    @property
    def is_json(self) -> bool:
        """Return whether it holds JSON."""
        return self.base in _JSON

    @property
    def identifier(self) -> sql.SQL:
        """Return its name as it stands in a statement."""
        return identifier(self.name)

    @property
    def type(self) -> sql.SQL:
        """Return its type as it stands in a cast; Postgres itself has said it."""
        return sql.SQL(self.type_name)


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view of the user's."""

    oid: int
    schema_name: str
    table_name: str
    kind: str
    hides_rows: bool
    comment: str
    columns: Mapping[str, Column]

    @property
    def identifier(self) -> sql.SQL:
        """Return its name as it stands in a statement."""
        return identifier(self.schema_name, self.table_name)

    @property
    def is_view(self) -> bool:
        """Return whether it is a view, materialised or not."""
        return self.kind in ("v", "m")


def identifier(*names: str) -> sql.SQL:
    """Return a name as it stands in a statement with parameters: a % in it is none of them."""
    return sql.SQL(sql.Identifier(*names).as_string().replace("%", "%%"))


def literal(value: str) -> sql.SQL:
    """Return a text as it stands in a statement with parameters."""
    return sql.SQL(sql.Literal(value).as_string().replace("%", "%%"))


def relation(connection: Connection, name: str, line: str) -> Relation:
    """Return a table as it is; raise PreflightError, naming the site's `line`, when it is not."""
    asked = table_name(name)
    row = connection.execute(_SQL["find_table"], {"name": asked.quoted}).fetchone()
    if row is None:
        raise PreflightError(_no_table(connection, asked, line))
    columns = connection.execute(_SQL["table_columns"], {"oid": row["oid"]}).fetchall()
    return Relation(**row, columns={each["name"]: Column(**each) for each in columns})


def column(table: Relation, name: str, line: str) -> Column:
    """Return a column; raise PreflightError, naming the nearest one, when there is none."""
    if name not in table.columns:
        near = nearest(name, table.columns)
        hint = f"it has {near}: set {line}" if near else f"set {line}; it has {_listed(table)}"
        raise PreflightError(f"{table.table_name} has no column {name}; {hint}.")
    return table.columns[name]


def missing_rights(
    connection: Connection, table: Relation, rights: Sequence[str], columns: Sequence[str] = ()
) -> list[str]:
    """Return the rights that this user lacks; those on columns count where a table's are absent."""
    wanted = [(right, each) for right in rights for each in (columns or (None,))]
    values = {
        "oid": table.oid,
        "rights": [right for right, _ in wanted],
        "columns": [each for _, each in wanted],
    }
    rows = connection.execute(_SQL["missing_rights"], values)
    return [row["right_name"] for row in rows]


def role(connection: Connection) -> str:
    """Return whose rights count: the session may have taken on another role than it joined as."""
    row = connection.execute(_SQL["role"]).fetchone() or {}
    return str(row["role"])


def is_unique(connection: Connection, table: Relation, name: str) -> bool:
    """Return whether the database promises that a column's value names one row."""
    row = connection.execute(_SQL["is_unique"], {"oid": table.oid, "column_name": name}).fetchone()
    return bool(row and row["is_unique"])


def is_indexed(connection: Connection, table: Relation, name: str) -> bool:
    """Return whether an index finds rows by a column's value."""
    row = connection.execute(_SQL["is_indexed"], {"oid": table.oid, "column_name": name}).fetchone()
    return bool(row and row["is_indexed"])


def columns_of_constraint(connection: Connection, table: Relation, name: str) -> set[str]:
    """Return the columns that one of a table's constraints is about."""
    values = {"oid": table.oid, "name": name}
    return {row["name"] for row in connection.execute(_SQL["columns_of_constraint"], values)}


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that was probably meant."""
    by_folded = {each.casefold(): each for each in known}
    folded = name.casefold()
    found = get_close_matches(folded, by_folded, n=1, cutoff=0.6)
    inside = [each for each in by_folded if folded in each or each in folded]
    return by_folded[found[0]] if found else by_folded[inside[0]] if inside else None


def _no_table(connection: Connection, asked: TableName, line: str) -> str:
    known = [row["name"] for row in connection.execute(_SQL["table_names"])]
    near = nearest(asked.name, known)
    meant = f"there is {near}" if near else "it is empty" if not known else "nothing is like it"
    where = connection.info.dbname
    own = "" if near else " `make new` drafts a backfill for a table of yours."
    return f"Set {line}: database '{where}' lacks table {asked.shown}; {meant}.{own}"


def _listed(table: Relation) -> str:
    names = list(table.columns)
    return ", ".join(names[:12]) + (", …" if len(names) > 12 else "")  # noqa: PLR2004 - one line
