"""Whether the staged services are well, and for how long they were not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from fulldress.engine.venue import Answer
from fulldress.production.description import Service
from fulldress.stage.observe import Observed


class HealthWatch:
    """Follows services that production.toml gives a health address: from each stop until it answers 200 again."""

    def __init__(self, services: Mapping[str, Service], http: Callable[..., Answer], observed: Observed) -> None:
        self._services = {name.removesuffix(".service"): service for name, service in services.items()}
        self._http = http
        self._observed = observed
        self._down: dict[str, float] = {}
        self._well: dict[str, threading.Event] = {}
        self._lock = threading.Lock()

    def take(self, event: dict[str, Any]) -> None:
        """An event of the first process: started, stopped, died."""
        unit = event.get("unit", "")
        service = self._services.get(unit)
        if service is None:
            return
        if event["event"] in ("stopped", "died"):
            with self._lock:
                self._down.setdefault(unit, event["at"])
        elif event["event"] == "started" and service.health:
            done = threading.Event()
            self._well[unit] = done
            threading.Thread(target=self._follow, args=(unit, service, event["step"], done), daemon=True).start()
        elif event["event"] == "started":
            self._up(unit, event["step"], time.time())

    def settle(self, unit: str) -> None:
        """Wait until a service that was just started is well, or has had its time."""
        unit = unit.removesuffix(".service")
        done = self._well.get(unit)
        if done is not None:
            done.wait(self._services[unit].ready_within + 1)

    def _follow(self, unit: str, service: Service, step: str, done: threading.Event) -> None:
        deadline = time.monotonic() + service.ready_within
        answer = Answer(status=0, body="not asked")
        try:
            while time.monotonic() < deadline:
                answer = self._http("GET", service.health)
                if answer.status == 200:
                    self._up(unit, step, time.time())
                    self._observed.health(unit, True, f"{service.health} answers 200", step)
                    return
                time.sleep(0.02)
            detail = f"{service.health} answered {answer.status or answer.body} after {service.ready_within:g} s"
            self._observed.health(unit, False, detail, step)
        finally:
            done.set()

    def _up(self, unit: str, step: str, at: float) -> None:
        with self._lock:
            began = self._down.pop(unit, None)
        if began is not None:
            self._observed.downtime(unit, datetime.fromtimestamp(began, UTC), timedelta(seconds=at - began), step)
