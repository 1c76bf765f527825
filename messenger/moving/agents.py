"""The agents of another product: those who are here already, by their address, and the others.

Whoever is not here gets a deactivated account, so that what they wrote keeps its author. An
administrator activates it when they are to work here.
"""

from __future__ import annotations

from accounts.models import Agent, Group, Role, User, Website
from messenger.moving.form import AgentLine, Read
from messenger.moving.identifiers import derived
from messenger.moving.report import Report
from routing import provisioning

UNKNOWN = "-"


class Agents:
    """Finds the desk for each agent that the lines name."""

    def __init__(self, website: Website, source: str, report: Report) -> None:
        self._website = website
        self._source = source
        self._report = report
        self._found: dict[str, int] = {}

    def add(self, one: Read) -> None:
        """Take the line of an agent."""
        line = one.record
        assert isinstance(line, AgentLine)
        if line.id in self._found:
            self._report.refuse(one.place, one.type, line.id, "this id occurs twice")
            return
        agent, is_new = self._find(line)
        self._found[line.id] = agent.pk
        (self._report.taken if is_new else self._report.known)["agent"] += 1

    def of(self, name: str, *, place: str) -> int:
        """Return the desk of an agent by the source's id. One without a line gets an account
        without a name."""
        name = name or UNKNOWN
        if name not in self._found:
            line = AgentLine(name, f"{self._source} {name}"[:60], "", Role.AGENT)
            agent, _is_new = self._find(line)
            self._found[name] = agent.pk
            self._report.change_once(
                place, "agent", name, f"agent {name} has no line: shown as {agent.display_name}"
            )
        return self._found[name]

    def _find(self, line: AgentLine) -> tuple[Agent, bool]:
        # An id is not always a valid name of an account; its hash is.
        username = f"imported-{derived(self._website.key, self._source, 'agent', line.id).hex[:20]}"
        known = User.objects.filter(username=username).first()
        if known is None and line.email:
            known = User.objects.filter(email__iexact=line.email, is_service=False).first()
        name = line.name or line.email.partition("@")[0][:60] or f"{self._source} {line.id}"[:60]
        if known is not None:
            agent, is_new = Agent.objects.get_or_create(user=known, defaults={"display_name": name})
            return agent, is_new
        agent = provisioning.create_user(
            username=username,
            display_name=name,
            role=Role(line.role),
            groups=Group.objects.none(),
            email=line.email,
            is_active=False,
        )
        return agent, True
