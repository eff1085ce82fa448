"""Configuration keys and their fates."""

from __future__ import annotations

from fulldress.facts.witness import Fact


class Setting(Fact, tag=True, frozen=True, kw_only=True):
    """A key that is present: shipped with a default (``read``), or set in production (``running``)."""

    component: str
    key: str
    value: str  #: masked where the key names a secret
    version: str = ""
    file: str = ""


class Lookup(Fact, tag=True, frozen=True, kw_only=True):
    """A place where the product's own code looks a key up, so that a key that nothing lists is known all the same.

    ``required``: the code stops there when the key is not set."""

    component: str
    key: str
    place: str  #: ``environment`` or ``settings``
    default: str = ""  #: masked where the key names a secret
    required: bool = False


class SettingChange(Fact, tag=True, frozen=True, kw_only=True):
    """What becomes of a key at a version.

    ``kind``: added, removed, renamed, default-changed, deprecated, required, value-invalid, meaning-changed."""

    component: str
    key: str
    version: str
    kind: str
    old: str = ""
    new: str = ""
    to: str = ""  #: new name where it was renamed
    must_be: str = ""  #: value it has to have, else ``otherwise``
    otherwise: str = ""
    since: str = ""  #: deprecated since
    note: str = ""
