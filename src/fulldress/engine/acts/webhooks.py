"""Webhooks at a registry that lists them by ``GET`` and removes them by ``DELETE registry/id``.

"404" alone proves nothing: it may also mean "not visible to you". A webhook is gone when the same request that showed it
before is still answered, and no longer shows it.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from fulldress.engine.acts.act import Act, Context, Done
from fulldress.engine.venue import Answer, Venue
from fulldress.facts import excerpt
from fulldress.findings import Outcome
from fulldress.runbook.steps import Webhook

_JSON = {"Content-Type": "application/json", "Accept": "application/json"}
_IDS = ("id", "uuid", "hook_id", "webhook_id", "key")
_TARGETS = ("target", "target_url", "url", "endpoint", "callback", "callback_url", "address")
_LISTS = ("webhooks", "hooks", "items", "data", "results", "subscriptions", "_embedded")


class RegisterWebhook(Act[Webhook]):
    def do(self, step: Webhook, at: Context) -> Done:
        before = listing(step.registry, at.venue)
        there = before is not None and step.target in before
        kept = at.keep(there=there)
        if there:
            mine = "by this step" if not kept["there"] else "by someone else; it stays on the way back"
            return Done(Outcome.PASS, f"{excerpt(step.target)}: registered already, {mine}")
        if at.register:
            at.register.intend(
                kind="webhook",
                name=step.target,
                where=step.registry,
                owner=step.owner,
                expires=step.expires,
                step=step.name,
                details={},
            )
        body = json.dumps({"target": step.target, "events": list(step.events)}).encode()
        answer = at.venue.http("POST", step.registry, body=body, headers=_JSON)
        if not 200 <= answer.status < 300:
            return Done(Outcome.FAIL, f"{excerpt(step.registry)}: {_said(answer)}")
        if at.register:
            at.register.created("webhook", step.target, step.registry)
        return Done(Outcome.PASS, f"{excerpt(step.target)}: {answer.status}")

    def settle(self, step: Webhook, at: Context) -> Done:
        if step.verify:
            return super().settle(step, at)
        now = listing(step.registry, at.venue)
        if now is None:
            return Done(Outcome.UNKNOWN, f"{excerpt(step.registry)} shows no list")
        return Done(Outcome.PASS if step.target in now else Outcome.FAIL, f"{len(now)} webhooks listed")

    def undo(self, step: Webhook, at: Context) -> Done:
        if at.position.kept.get("there"):
            return Done(Outcome.PASS, "it was there before; it stays")
        done = remove(step.registry, step.target, at.venue)
        if done.outcome is Outcome.PASS and at.register:
            at.register.gone("webhook", step.target, step.registry, done.detail)
        return done


def listing(registry: str, venue: Venue) -> dict[str, str] | None:
    """target -> id of every webhook that the registry lists; None when it gives no list that can be read."""
    answer = venue.http("GET", registry, headers={"Accept": "application/json"})
    if answer.status != 200:
        return None
    try:
        items = _items(json.loads(answer.body))
    except ValueError:
        return None
    if items is None:
        return None
    found: dict[str, str] = {}
    for item in items:
        config = item.get("config")
        places = (item, config) if isinstance(config, dict) else (item,)
        target = next((str(place[t]) for place in places for t in _TARGETS if place.get(t)), "")
        if target:
            found[target] = next((str(item[i]) for i in _IDS if item.get(i) is not None), "")
    return found


def _items(body: Any) -> list[dict[str, Any]] | None:
    if isinstance(body, dict):
        body = next((body[name] for name in _LISTS if isinstance(body.get(name), list)), None)
    if not isinstance(body, list):
        return None
    return [item for item in body if isinstance(item, dict)]


def remove(registry: str, target: str, venue: Venue) -> Done:
    """Delete the webhook and look again through the same request."""
    before = listing(registry, venue)
    if before is None:
        return Done(Outcome.UNKNOWN, f"{excerpt(registry)} shows no list, so nothing would prove that it is gone")
    if target not in before:
        return Done(Outcome.PASS, f"{excerpt(registry)} answers and does not list it ({len(before)} others)")
    if not before[target]:
        return Done(Outcome.FAIL, f"{excerpt(registry)} lists it without an id to delete it by")
    address = f"{registry.rstrip('/')}/{quote(before[target], safe='')}"
    answer = venue.http("DELETE", address)
    after = listing(registry, venue)
    if after is None:
        return Done(Outcome.UNKNOWN, f"{excerpt(address)}: {_said(answer)}; the list no longer answers")
    if target in after:
        return Done(Outcome.FAIL, f"{excerpt(address)}: {_said(answer)}, and it is still listed")
    return Done(
        Outcome.PASS, f"listed before, deleted ({answer.status}), no longer listed; {len(after)} others still are"
    )


def _said(answer: Answer) -> str:
    return str(answer.status) if answer.status else f"no answer: {excerpt(answer.body)}"
