"""Questions about commits: what their history brought, and how much there was."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from veml_vcs.lineage.sqlite.rows import STANDS, Tables, listed

_OF_NEW, _OF_OLD = 1, 2
_HISTORY = (
    "old (key) AS (SELECT key FROM node WHERE +kind = 'commit' AND id IN "
    "(SELECT value FROM json_each(?)) UNION SELECT e.target FROM old JOIN edge e "
    "ON e.source = old.key AND e.kind = 'parent')"
)


class Commits(Tables):
    """Answers about commits; see ``LineageStore``."""

    def as_of(self, commits: Iterable[str]) -> set[str]:
        """Return the versions that commits and their ancestors brought."""
        rows = self._do(
            f"WITH RECURSIVE {_HISTORY} "
            "SELECT DISTINCT b.version FROM old JOIN brought b ON b.commit_key = old.key "
            f"WHERE {STANDS}",
            (listed(commits),),
        )
        return {row[0] for row in rows}

    def places(self, version: str) -> dict[str, list[str]]:
        """Return the commits that brought a version -> the paths where they have it."""
        found: dict[str, list[str]] = {}
        for commit, path in self._do(
            "SELECT n.id, b.path FROM brought b JOIN node n ON n.key = b.commit_key "
            f"WHERE b.version = ?1 AND {STANDS} "
            "ORDER BY n.id, b.path",
            (version,),
        ):
            found.setdefault(commit, []).append(path)
        return found

    def between(self, old: str, new: str) -> dict[str, list[str]]:
        """Return what the history of one commit brought and that of another did not."""
        ends = dict(
            self._do(
                "SELECT id, key FROM node WHERE +kind = 'commit' AND id IN (?, ?)", (old, new)
            ).fetchall()
        )
        if len(ends) < len({old, new}):
            return {}
        commits = self._only(ends[old], ends[new])
        found: dict[str, set[str]] = {}
        for version, path in self._do(
            "SELECT b.version, b.path FROM json_each(?) c "
            "CROSS JOIN brought b ON b.commit_key = c.value "
            f"WHERE {STANDS}",
            (listed(commits),),
        ):
            found.setdefault(version, set()).add(path)
        before = self._brought_by(ends[old], found, commits)
        return {one: sorted(found[one]) for one in sorted(found) if one not in before}

    def counts(self, at: str | None = None) -> dict[str, int]:
        """Return how many nodes and edges there are of each kind."""
        if at is None:
            rows = self._do("SELECT kind, count FROM tally WHERE count > 0 ORDER BY 1")
        else:
            rows = self._do(
                f"WITH RECURSIVE {_HISTORY}, "
                "have (key) AS (SELECT DISTINCT n.key FROM old "
                "CROSS JOIN brought b ON b.commit_key = old.key "
                "CROSS JOIN node n ON n.id = b.version AND n.known), "
                "there (key) AS MATERIALIZED (SELECT key FROM old UNION SELECT key FROM have UNION "
                "SELECT e.target FROM have CROSS JOIN edge e "
                "ON e.source = have.key AND e.kind = 'has') "
                "SELECT n.kind, count(*) FROM there CROSS JOIN node n ON n.key = there.key "
                "GROUP BY 1 UNION ALL "
                "SELECT e.kind, count(*) FROM there CROSS JOIN edge e ON e.source = there.key "
                # +: seeking each target below each source took minutes.
                "WHERE +e.target IN (SELECT key FROM there) GROUP BY 1 ORDER BY 1",
                (listed([at]),),
            )
        return {row[0]: row[1] for row in rows}

    def _only(self, old: int, new: int) -> set[int]:
        """Return the commits that ``new`` comes from and ``old`` does not.

        From the last that was added to the first, so that a commit is taken when all that come
        after it were: the row of a commit is added after those of its parents (``sync``).
        """
        marks = {new: _OF_NEW}
        marks[old] = marks.get(old, 0) | _OF_OLD
        pending = [-one for one in marks]
        heapq.heapify(pending)
        left = sum(mark == _OF_NEW for mark in marks.values())
        while left:
            key = -heapq.heappop(pending)
            mark = marks[key]
            left -= mark == _OF_NEW
            for (parent,) in self._do(
                "SELECT target FROM edge WHERE source = ? AND kind = 'parent'", (key,)
            ):
                before = marks.get(parent, 0)
                if not before:
                    heapq.heappush(pending, -parent)
                marks[parent] = before | mark
                left += (marks[parent] == _OF_NEW) - (before == _OF_NEW)
        return {one for one, mark in marks.items() if mark == _OF_NEW}

    def _brought_by(self, commit: int, versions: Iterable[str], but: set[int]) -> set[str]:
        """Return those of some versions that a commit or its ancestors brought.

        Args:
            commit: Its key.
            versions: Which are asked about.
            but: Commits that are known not to be its ancestors.
        """
        others = [
            (key, version)
            for version, key in self._do(
                "SELECT b.version, b.commit_key FROM json_each(?) v "
                "CROSS JOIN brought b ON b.version = v.value",
                (listed(versions),),
            )
            if key not in but
        ]
        if not others:
            return set()
        history = {
            row[0]
            for row in self._do(
                "WITH RECURSIVE old (key) AS (VALUES (?1) UNION SELECT e.target FROM old "
                "JOIN edge e ON e.source = old.key AND e.kind = 'parent' AND e.target >= ?2) "
                "SELECT key FROM old",
                (commit, min(others)[0]),
            )
        }
        return {version for key, version in others if key in history}
