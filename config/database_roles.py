"""The two roles of the database: the owner migrates, the application works and touches no record.

A trigger protects a record from everybody but the owner of its table, who may drop the trigger. So
the product runs as a role that owns nothing (docs/operations.md, "Database roles").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, sql

# What the application may do with records; with all other tables, it may do anything to the rows.
# Lines of the ledger and consents are deleted with the person whom they are about, and no earlier:
# the ledger's trigger insists on it.
RECORDS = {
    "accounts_change": "SELECT, INSERT",
    "conversations_event": "SELECT, INSERT, DELETE",
    "conversations_consent": "SELECT, INSERT, DELETE",
    "conversations_erasure": "SELECT, INSERT, DELETE, UPDATE (erased_by_id)",
    "django_migrations": "SELECT",
}
ROWS = "SELECT, INSERT, UPDATE, DELETE"

# Plain SQL: Django knows nothing of owners and rights.
# Everything in the schema that belongs to no extension, with the word that ALTER needs.
OBJECTS = """
SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW'
                    WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, oid::regclass::text
FROM pg_class c
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S', 'v', 'm')
AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('e', 'i', 'a')
                AND d.classid = 'pg_class'::regclass)
UNION ALL
SELECT 'ROUTINE', oid::regprocedure::text FROM pg_proc p
WHERE pronamespace = 'public'::regnamespace
AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""


@dataclass(frozen=True, slots=True)
class Role:
    """A role to create, or to leave as it is if it exists; then ``password`` is not used."""

    name: str
    password: str


def create(connection: Connection[Any], *, owner: Role, application: Role) -> list[str]:
    """Create the roles, give everything to the owner, and the rows to the application. Return the
    names of those that were created. Safe to run again, for instance after a migration.

    The connection's role must be a superuser, or own the database and be allowed to create roles.
    """
    created = [role.name for role in (owner, application) if _create_role(connection, role)]
    if connection.info.user != owner.name:  # to hand over, one must be a member
        grant = sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(owner.name))
        connection.execute(grant)
    for statement in _statements(connection, owner.name, application.name):
        connection.execute(statement)
    return created


def _create_role(connection: Connection[Any], role: Role) -> bool:
    known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role.name])
    if known.fetchone() is not None:
        return False
    # The server gets a verifier, so the password is in none of its logs.
    verifier = connection.pgconn.encrypt_password(
        role.password.encode(), role.name.encode(), b"scram-sha-256"
    )
    connection.execute(
        sql.SQL("CREATE ROLE {name} LOGIN NOSUPERUSER NOCREATEROLE NOBYPASSRLS PASSWORD {}").format(
            sql.Literal(verifier.decode()), name=sql.Identifier(role.name)
        )
    )
    return True


def _statements(
    connection: Connection[Any], owner: str, application: str
) -> Iterator[sql.Composed]:
    names = {
        "owner": sql.Identifier(owner),
        "app": sql.Identifier(application),
        "database": sql.Identifier(connection.info.dbname),
    }

    def statement(text: str, **more: sql.Composable) -> sql.Composed:
        return sql.SQL(text).format(**names, **more)

    yield statement("ALTER DATABASE {database} OWNER TO {owner}")
    yield statement("ALTER SCHEMA public OWNER TO {owner}")
    for kind, name in connection.execute(OBJECTS).fetchall():
        # Both come from the catalogue, quoted by it.
        yield statement(
            "ALTER {kind} {name} OWNER TO {owner}", kind=sql.SQL(kind), name=sql.SQL(name)
        )
    yield statement("REVOKE CREATE ON SCHEMA public FROM PUBLIC, {app}")
    yield statement("GRANT USAGE ON SCHEMA public TO {app}")
    yield statement("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {app}")
    yield statement(f"GRANT {ROWS} ON ALL TABLES IN SCHEMA public TO {{app}}")
    yield statement("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {app}")
    # What later migrations create.
    future = "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT"
    yield statement(f"{future} {ROWS} ON TABLES TO {{app}}")
    yield statement(f"{future} USAGE, SELECT ON SEQUENCES TO {{app}}")
    for table, rights in RECORDS.items():
        name = sql.Identifier(table)
        yield statement("REVOKE ALL ON {table} FROM {app}", table=name)
        yield statement(f"GRANT {rights} ON {{table}} TO {{app}}", table=name)
