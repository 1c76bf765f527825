"""As two roles against a real PostgreSQL: the owner migrates, the application touches no record."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from psycopg import errors

from config import database_roles, engines

DATABASE = "with_roles"
OWNER, APPLICATION = "causerie_owner", "causerie_app"
EVENT = "conversations_event"
TRUNCATED = [
    *database_roles.RECORDS,
    "conversations_mirrorlook",
    "conversations_lookreplay",
    *("conversations_call", "conversations_cobrowsingsession", "conversations_cobrowsingact"),
]


def address(user: str, database: str = DATABASE) -> str:
    sockets = Path(settings.DATABASES["default"]["HOST"])
    return f"postgresql://{user}@/{database}?host={sockets}"


def connect(user: str) -> psycopg.Connection[Any]:
    return psycopg.connect(address(user), autocommit=True)


def manage(root: Path, user: str, *command: str) -> str:
    """Run a command of the product as a role, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=root,
        env={**os.environ, "DATABASE_URL": address(user), "STATEMENT_SECONDS": "0"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def printed(root: Path) -> Iterator[str]:
    """A migrated database with its two roles; the words of the command that made them."""
    with psycopg.connect(address("postgres", "postgres"), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        is_seeded = bool(os.environ.get("SEED"))
        template = engines.DATABASE if is_seeded else "template1"
        admin.execute(f"CREATE DATABASE {DATABASE} TEMPLATE {template}")
    manage(root, "postgres", "migrate", "--verbosity", "0")
    yield manage(root, "postgres", "create_roles")
    with psycopg.connect(address("postgres", "postgres"), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
        admin.execute(f"DROP ROLE {OWNER}, {APPLICATION}")


@pytest.fixture
def application(printed: str) -> Iterator[psycopg.Connection[Any]]:
    with connect(APPLICATION) as connection:
        yield connection


def test_roles_are_made_with_passwords_that_no_log_has(printed: str) -> None:
    passwords = [line.split()[-1] for line in printed.splitlines() if "password" in line]
    assert len(set(passwords)) == 2
    with connect("postgres") as admin:
        stored = admin.execute(
            "SELECT rolpassword, rolsuper, rolcreaterole, rolbypassrls FROM pg_authid"
            " WHERE rolname = ANY(%s)",
            [[OWNER, APPLICATION]],
        ).fetchall()
    assert all(verifier.startswith("SCRAM-SHA-256$") for verifier, *_ in stored)
    assert {tuple(rights) for _verifier, *rights in stored} == {(False, False, False)}
    log = (settings.VAR / "postgres.log").read_text()
    assert not any(password in log for password in passwords)


def test_everything_belongs_to_the_owner(printed: str) -> None:
    with connect("postgres") as admin:
        others = admin.execute(
            "SELECT c.oid::regclass::text FROM pg_class c"
            " WHERE relnamespace = 'public'::regnamespace AND relowner <> %(owner)s::regrole"
            " UNION ALL SELECT p.oid::regprocedure::text FROM pg_proc p"
            " WHERE pronamespace = 'public'::regnamespace AND proowner <> %(owner)s::regrole"
            " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND deptype = 'e')"
            " UNION ALL SELECT datname FROM pg_database"
            " WHERE datname = current_database() AND datdba <> %(owner)s::regrole",
            {"owner": OWNER},
        ).fetchall()
    assert others == []


@pytest.mark.parametrize("table", TRUNCATED)
def test_nobody_truncates_a_record(application: psycopg.Connection[Any], table: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege, match="permission denied"):
        application.execute(f"TRUNCATE {table}")
    if table == "django_migrations":
        return
    for user in (OWNER, "postgres"):
        with (
            connect(user) as connection,
            pytest.raises(errors.InsufficientPrivilege, match=f"in {table} are never truncated"),
        ):
            connection.execute(f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize("table", ["accounts_website", "conversations_conversation"])
def test_the_application_cannot_truncate_a_record_by_cascade(printed: str, table: str) -> None:
    with connect(OWNER) as connection, pytest.raises(errors.InsufficientPrivilege, match="never"):
        connection.execute(f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_change SET actor = ''",
        "DELETE FROM accounts_change",
        f"UPDATE {EVENT} SET verb = 'close'",
        "UPDATE conversations_consent SET text = ''",
        "UPDATE conversations_erasure SET subject = ''",
        "DELETE FROM django_migrations",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('a', 'b', now())",
        "ALTER TABLE accounts_change DISABLE TRIGGER keep_changes",
        f"ALTER TABLE {EVENT} DISABLE TRIGGER ALL",
        "DROP TRIGGER keep_changes ON accounts_change",
        f"DROP TRIGGER never_truncated ON {EVENT}",
        f"DROP TABLE {EVENT} CASCADE",
        "DROP FUNCTION core_refuse_truncate() CASCADE",
        "CREATE OR REPLACE FUNCTION accounts_keep_changes() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN RETURN NULL; END $$",
        "CREATE TABLE mine (id int)",
        f"CREATE RULE mine AS ON INSERT TO {EVENT} DO INSTEAD NOTHING",
        f"CREATE TRIGGER mine BEFORE INSERT ON {EVENT} EXECUTE FUNCTION core_refuse_truncate()",
        f"ALTER TABLE {EVENT} OWNER TO {APPLICATION}",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT ALL ON TABLES TO {APPLICATION}",
        f"SET ROLE {OWNER}",
        "SET session_replication_role = replica",
        f"ALTER ROLE {APPLICATION} SUPERUSER",
        f"DROP DATABASE {DATABASE}",
    ],
)
def test_the_application_cannot_change_records_or_roles(
    application: psycopg.Connection[Any], statement: str
) -> None:
    with pytest.raises((errors.InsufficientPrivilege, errors.ObjectInUse)) as refused:
        application.execute(statement)
    assert isinstance(refused.value, errors.InsufficientPrivilege) or "DROP DATABASE" in statement


def test_granting_oneself_more_grants_nothing(application: psycopg.Connection[Any]) -> None:
    application.execute(f"GRANT UPDATE ON accounts_change TO {APPLICATION}")  # only a warning
    with pytest.raises(errors.InsufficientPrivilege):
        application.execute("UPDATE accounts_change SET actor = ''")


def test_the_product_works_as_the_application(root: Path, printed: str) -> None:
    manage(root, APPLICATION, "migrate", "--verbosity", "0")  # has nothing to do
    manage(root, APPLICATION, "demo", "--verbosity", "0")
    manage(root, APPLICATION, "check_invariants")
    manage(root, APPLICATION, "purge")
    with connect(APPLICATION) as connection:
        counted = connection.execute("SELECT count(*) FROM accounts_change").fetchone()
    assert counted is not None
    assert counted[0] > 10


def test_the_owner_migrates_and_later_tables_are_open_to_the_application(
    root: Path, printed: str
) -> None:
    manage(root, OWNER, "migrate", "accounts", "0022", "--verbosity", "0")
    manage(root, OWNER, "migrate", "--verbosity", "0")
    with connect(OWNER) as owner:
        owner.execute("CREATE TABLE later (id bigserial PRIMARY KEY, name text)")
    with connect(APPLICATION) as application:
        application.execute("INSERT INTO later (name) VALUES ('row')")
        with pytest.raises(errors.InsufficientPrivilege):
            application.execute("TRUNCATE later")
    with connect(OWNER) as owner:
        owner.execute("DROP TABLE later")


def test_a_second_run_by_the_owner_changes_nothing(root: Path, printed: str) -> None:
    again = manage(root, OWNER, "create_roles")
    assert "password" not in again
    with connect(APPLICATION) as application, pytest.raises(errors.InsufficientPrivilege):
        application.execute("DELETE FROM accounts_change")


def test_one_role_for_both_is_refused(root: Path, printed: str) -> None:
    with pytest.raises(AssertionError, match="are two roles"):
        manage(root, "postgres", "create_roles", "--application", OWNER)
