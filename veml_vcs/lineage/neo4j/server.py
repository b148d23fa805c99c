"""A Neo4j server: how it is reached, what is asked of it, and what its errors mean.

The one file that imports the driver.
"""

from __future__ import annotations

import logging
import ssl
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from traceback import walk_tb
from typing import Any

from neo4j import (
    READ_ACCESS,
    Driver,
    GraphDatabase,
    ManagedTransaction,
    Record,
    RoutingControl,
    unit_of_work,
)
from neo4j.exceptions import (
    AuthError,
    ClientError,
    ConfigurationError,
    CypherSyntaxError,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
    UnsupportedServerProduct,
)

from veml_vcs.errors import InvalidInputError, StorageError, VemlError
from veml_vcs.lineage.neo4j.place import DEFAULT_PORT, Login, Place

# The driver tells the log of failures that are raised as well.
logging.getLogger("neo4j").addHandler(logging.NullHandler())
logging.getLogger("neo4j").propagate = False

OLDEST = 5
"""The oldest major version that is spoken to; 2025.x comes after 5.26."""

_PATIENCE_SECONDS = 15.0
_WINDOW_SECONDS = 60.0
"""How long a transaction that writes may take: where packets vanish, the server does not hear that
who began it has left, and would keep its locks until TCP gives up, which takes hours."""
_SHOWN = 200
_AUTH = "Neo.ClientError.Security."
_TOOK_TOO_LONG = "Neo.ClientError.Transaction.TransactionTimedOut"
_NO_DATABASE = ("Neo.ClientError.Database.DatabaseNotFound",)
_READ_ONLY = "Neo.ClientError.Statement.AccessMode"


class Server:
    """A connection to the database that a repository is mirrored in.

    Args:
        place: Which.
        who: Who asks; None is a server that does not want to know.
        seconds: How long to wait for a server that does not answer, or says that it cannot now.

    Attributes:
        asked: Since when an answer is waited for, or was waited for in vain, by
            ``time.monotonic``; None if the last came. Other threads may look.

    Raises:
        InvalidInputError: What answers is no Neo4j of a version that is known, the user or the
            password is wrong, or there is no such database.
        StorageError: Nothing answers; its kind is ``unreachable``.
    """

    def __init__(
        self, place: Place, who: Login | None, *, seconds: float = _PATIENCE_SECONDS
    ) -> None:
        self.place = place
        self.asked: float | None = None
        with self._explained():
            self._driver, self.agent = self._open(who, seconds)
        try:
            check_agent(self.agent, place)
        except BaseException:
            self.close()
            raise

    def _open(self, who: Login | None, seconds: float) -> tuple[Driver, str]:
        """Open the connection, and ask the server what it is."""
        try:
            return self._opened(who, seconds, self.place.database, notifications_min_severity="OFF")
        except UnsupportedServerProduct:
            raise
        except ConfigurationError:
            # Before 5 there is nothing to switch off, before 4 one database; and the driver does
            # not say what it is.
            return self._opened(who, seconds)

    def _opened(
        self, who: Login | None, seconds: float, database: str | None = None, **more: Any
    ) -> tuple[Driver, str]:
        driver = GraphDatabase.driver(
            self.place.url,
            auth=None if who is None else (who.user, who.password),
            connection_timeout=seconds,
            connection_acquisition_timeout=seconds,
            connection_write_timeout=seconds,
            max_transaction_retry_time=seconds,
            telemetry_disabled=True,
            user_agent="veml",
            **more,
        )
        try:
            # Not in a managed transaction: those try again where nothing listens.
            with driver.session(database=database, default_access_mode=READ_ACCESS) as session:
                return driver, str(session.run("RETURN 1").consume().server.agent)
        except BaseException:
            driver.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._driver.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, cypher: str, parameters: Mapping[str, Any] | None = None) -> list[Record]:
        """Ask something; a write is refused by the server."""
        with self._explained():
            return self._driver.execute_query(
                cypher, dict(parameters or {}), routing_=RoutingControl.READ,
                database_=self.place.database,
            ).records  # fmt: skip

    def ask(
        self, cypher: str, parameters: Mapping[str, Any]
    ) -> tuple[tuple[str, ...], list[Record]]:
        """Ask a question of the user's: the columns, and the rows."""
        with self._explained():
            found = self._driver.execute_query(
                cypher, dict(parameters), routing_=RoutingControl.READ,
                database_=self.place.database,
            )  # fmt: skip
        return tuple(found.keys), found.records

    def write(self, work: Callable[[ManagedTransaction], Any]) -> Any:
        """Run a function in one transaction; it may run twice."""
        with (
            self._explained(),
            self._driver.session(database=self.place.database) as session,
        ):
            return session.execute_write(unit_of_work(timeout=_WINDOW_SECONDS)(work))

    def define(self, cypher: str) -> None:
        """Run a statement on the schema; tried again where another does the same just now."""
        self.write(lambda transaction: transaction.run(cypher).consume())

    @contextmanager
    def _explained(self) -> Iterator[None]:
        self.asked = time.monotonic()
        try:
            yield
            self.asked = None
        except Neo4jError as error:
            raise self._said(error) from error
        except (DriverError, OSError) as error:
            raise self._unreached(error) from error
        except Exception as error:  # the driver has no class for what a server may say wrongly
            if not _in_driver(error):
                raise
            if isinstance(error, UnicodeEncodeError | OverflowError):  # of what was to be said
                why = error.reason if isinstance(error, UnicodeEncodeError) else _text(error)
                raise InvalidInputError(
                    f"{self.place.host} cannot be told that: {why[:_SHOWN]}",
                    hint="Neo4j takes text as UTF-8, and whole numbers of 64 bits",
                    kind="cypher",
                ) from error
            raise StorageError(
                f"{self.place.host} breaks Neo4j's protocol: {type(error).__name__}: "
                f"{_text(error)[:_SHOWN]}",
                hint="does something stand between here and the server that changes what it says?",
                kind="protocol",
            ) from error

    def _said(self, error: Neo4jError) -> VemlError:
        """Return what an error of the server's means."""
        place, code = self.place, error.code or ""
        said = error.message or code
        if isinstance(error, AuthError) or code.startswith(_AUTH):
            return InvalidInputError(
                f"{place.host} refuses the user or the password: {said}",
                hint="set NEO4J_USERNAME and NEO4J_PASSWORD, or give them to Git's credential "
                f"helper: printf 'protocol=neo4j\\nhost={place.host}\\nusername=neo4j\\n"
                "password=...\\n' | git credential approve",
                kind="wrong-password",
            )
        if code in _NO_DATABASE:
            return InvalidInputError(
                f"{place.host} has no database {place.database}",
                hint="veml lineage connect URL --database NAME; Neo4j Community has one, neo4j",
                kind="no-database",
            )
        if code == _READ_ONLY:
            return InvalidInputError(
                "the mirror is only read: this would write into it",
                hint="it is a copy of Git's history; what shall be in it is committed",
                kind="read-only",
            )
        if isinstance(error, CypherSyntaxError | ClientError) and _TOOK_TOO_LONG not in code:
            return InvalidInputError(f"{place.host}: {said}", kind="cypher")
        return StorageError(f"{place.host}: {said}", kind="unreachable")

    def _unreached(self, error: Exception) -> VemlError:
        """Return what it means that nothing of use was heard."""
        place = self.place
        if isinstance(error, UnsupportedServerProduct):
            return InvalidInputError(
                f"{place.host} is no Neo4j, or one that is older than {OLDEST}: it speaks no Bolt "
                "that is known here",
                hint=f"what is expected is Neo4j's Bolt port, {DEFAULT_PORT} if nobody changed it",
                kind="no-neo4j",
            )
        if isinstance(error, ServiceUnavailable | OSError):
            cause, plain = _cause(error), place.url.partition("://")[0].partition("+")[0]
            if isinstance(cause, ssl.SSLCertVerificationError):
                return InvalidInputError(
                    f"{place.host} has a certificate that is not trusted: {cause.verify_message}",
                    hint=f"{plain}+ssc:// takes one that the server signed itself, and whoever has "
                    "the server's address; SSL_CERT_FILE names a file of those that are trusted",
                    kind="untrusted",
                )
            hint = "is it running? veml lineage connect URL, if it is elsewhere"
            if "+s" not in place.url:
                hint += f"; {plain}+s:// if it wants TLS"
            elif isinstance(cause, ssl.SSLError):
                hint += f"; {plain}:// if it has no TLS"
            return StorageError(
                f"no Neo4j can be reached at {place.url}: {_text(cause)}",
                hint=hint, kind="unreachable",
            )  # fmt: skip
        if isinstance(error, ConfigurationError):
            return InvalidInputError(f"{place.url}: {error}", kind="no-neo4j")
        return StorageError(f"{place.url}: {error}", kind="unreachable")


def check_agent(agent: str, place: Place) -> None:
    """Refuse a server that is of another make, or too old.

    Args:
        agent: What it calls itself: ``Neo4j/5.26.0``.
        place: Where it is.

    Raises:
        InvalidInputError: It is one.
    """
    product, _, version = agent.partition("/")
    major = version.partition(".")[0]
    if product != "Neo4j" or not major.isdecimal():
        raise InvalidInputError(
            f"{place.host} is {agent}, expected Neo4j {OLDEST} or later", kind="no-neo4j"
        )
    if int(major) < OLDEST:
        raise InvalidInputError(
            f"{place.host} is Neo4j {version}, expected {OLDEST} or later",
            hint="docs/neo4j.md has a file for docker compose with a version that was tried",
            kind="unsupported-version",
        )


def _cause(error: BaseException) -> BaseException:
    """Return the innermost reason, which is the one that helps."""
    while True:
        if isinstance(error, BaseExceptionGroup):  # of several routers
            error = error.exceptions[0]
        elif error.__cause__ is not None:
            error = error.__cause__
        else:
            return error


def _in_driver(error: BaseException) -> bool:
    """Tell whether an error came up in the driver's own work, and not in what it calls of ours."""
    names = (str(frame.f_globals.get("__name__")) for frame, _ in walk_tb(error.__traceback__))
    rooms = (one.partition(".")[0] for one in names)
    # What either calls of Python's own is its work too.
    return [one for one in rooms if one not in sys.stdlib_module_names][-1:] == ["neo4j"]


def _text(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
