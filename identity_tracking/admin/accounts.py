"""The site's own users behind people and behind what staff did; asked for all at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from identity_tracking.admin.readonly import may_view
from identity_tracking.admin.values import plain
from identity_tracking.conf import conf


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """A user of the site. ``link`` is the user's page, for those who may see it."""

    name: str
    link: str


class Accounts:
    """The users that some ids of people, and the keys of those who did something, may mean."""

    def __init__(
        self, request: HttpRequest, *, ids: Iterable[str | None] = (), keys: Iterable[str] = ()
    ) -> None:
        self.request = request
        self.users = {
            str(user.pk): user for user in _users({*filter(None, ids)}, {*filter(None, keys)})
        }

    def of(self, user_id: str | None) -> Account | None:
        """Return whose account an id of a person is, by the setting USER_ID."""
        hook = conf.hook("USER_ID")
        if not user_id or hook is None:
            return None
        found = (user for user in self.users.values() if str(hook(user)) == user_id)
        return next(map(self._account, found), None)

    def called(self, by: str) -> str:
        """Return who ``by`` is, as merges keep it: the name of a user, or the text itself."""
        user = self.users.get(by)
        return plain(user.get_username() if user else by)

    def _account(self, user: Any) -> Account:
        model = type(user)
        may_open = admin.site.is_registered(model) and may_view(self.request, model)
        page = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        link = reverse(page, args=[user.pk]) if may_open else ""
        return Account(name=plain(user.get_username()), link=link)


def _users(ids: set[str], keys: set[str]) -> list[Any]:
    """Return users whose key, or name to log in with, is wanted: an index finds either."""
    model: Any = get_user_model()
    wanted = {key for text in ids | keys if (key := _key(model, text)) is not None}
    if not wanted and not ids:
        return []
    named = Q(**{f"{model.USERNAME_FIELD}__in": ids})
    return list(model._default_manager.filter(Q(pk__in=wanted) | named)[: len(ids) + len(wanted)])


def _key(model: Any, text: str) -> Any:
    try:
        return model._meta.pk.clean(text, None)
    except ValidationError:
        return None
