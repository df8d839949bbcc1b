"""People: an anchor identifier, and what is shown of everything that resolves to it."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from identity_tracking.identifiers import Kind, Names, Ref, names
from identity_tracking.models.identifier import Identifier, Ownership
from identity_tracking.models.moment import MomentField

if TYPE_CHECKING:
    from identity_tracking.models.activity import Activity, ActivityQuerySet
    from identity_tracking.models.relationship import ObjectRelationship

NAME_ATTRIBUTES = (("first_name", "last_name"), ("firstName", "lastName"), ("name",))


def new_cio_id() -> str:
    """Return 128 random bits: who has one may have been sent a link, nobody can guess one."""
    return secrets.token_hex(16)


class PersonQuerySet(models.QuerySet["Person"]):
    def standing(self) -> PersonQuerySet:
        """People that did not fold into another."""
        return self.filter(root=None)

    def identified(self) -> PersonQuerySet:
        """People whose id is known."""
        return self.standing().exclude(user_id=None)

    def leads(self) -> PersonQuerySet:
        """People with an email, whose id is still open."""
        return self.standing().filter(user_id=None)

    def find(
        self,
        *,
        id: Any = None,
        email: Any = None,
        cio_id: Any = None,
        anonymous_id: Any = None,
        at: datetime | None = None,
    ) -> Person | None:
        """Return the person whom an identifier means, now or ``at`` another time, or None.

        One identifier is enough; of several the highest counts. It never creates anybody.
        """
        called = names(id=id, email=email, cio_id=cio_id, anonymous_id=anonymous_id)
        return self.called(called, at=at)

    def called(self, who: Names, *, at: datetime | None = None) -> Person | None:
        """Return the person whom the highest of somebody's names means, or None."""
        if who.cio_id:
            return _root(self.select_related("root").by_cio_id(who.cio_id))
        return self.owner(who.head, at=at) if who.head else None

    def known(self, people: Iterable[Names]) -> set[Names]:
        """Return those of ``people`` who mean somebody, as ``called`` says, in two queries."""
        people = set(people)
        keys = [one.head.key for one in people if one.head and not one.cio_id]
        now = Ownership.objects.using(self.db).at(datetime.now(UTC)).filter(identifier__in=keys)
        stretches = now.select_related("person__root", "after__root")
        owned = {stretch.identifier_id for stretch in stretches if owner_of(stretch)}
        cio_ids = [one.cio_id for one in people if one.cio_id]
        held = set(self.filter(cio_id__in=cio_ids).values_list("cio_id", flat=True))
        return {
            one
            for one in people
            if (one.cio_id in held if one.cio_id else one.head and one.head.key in owned)
        }

    def by_cio_id(self, cio_id: str) -> Person | None:
        """Return the row with this very cio_id: to MariaDB capital letters are equal to small."""
        row = self.filter(cio_id=cio_id).first()
        return row if row and row.cio_id == cio_id else None

    def locked(self, keys: Iterable[UUID]) -> dict[UUID, Person]:
        """Lock these rows until the transaction ends, in key order, and return them as they are."""
        ordered = sorted(keys)
        rows = self.select_for_update().filter(pk__in=ordered).order_by("pk")
        return {row.pk: row for row in rows} if ordered else {}

    def touch(self, key: UUID, times: Iterable[datetime]) -> None:
        """Keep that somebody was seen at ``times``: widens first to last seen, never narrows it."""
        seen = sorted(times)
        if seen:
            self.filter(pk=key, last_seen__lt=seen[-1]).update(last_seen=seen[-1])
            self.filter(pk=key, first_seen__gt=seen[0]).update(first_seen=seen[0])

    def owner(self, ref: Ref, *, at: datetime | None = None) -> Person | None:
        """Return whose the identifier ``ref`` is, now or ``at`` another time, or None."""
        stretch = (
            Ownership.objects.using(self.db)
            .at(at or datetime.now(UTC))
            .filter(identifier=ref.key)
            .select_related("person__root", "after__root")
            .first()
        )
        return owner_of(stretch) if stretch else None


class Person(models.Model):
    """Somebody with an id or an email. One row an id and one an email; ``root`` says which folded.

    ``attributes`` and the other shown fields are a cache of what the identity rules compute from
    the messages; they are never edited by hand. ``provenance`` says for each attribute when,
    from which source and by which message it was written; ``claimed`` holds values that lost to
    a trusted one.
    """

    anchor = models.OneToOneField(
        Identifier, models.CASCADE, primary_key=True, related_name="person", db_constraint=False
    )
    cio_id = models.CharField(
        "cio_id", max_length=32, unique=True, default=new_cio_id, editable=False
    )
    root = models.ForeignKey(
        "self",
        models.CASCADE,
        null=True,
        related_name="folded",
        db_index=False,
        db_constraint=False,
    )
    user_id = models.CharField(_("id"), max_length=150, null=True, db_index=True)  # noqa: DJ001
    email = models.CharField(_("email"), max_length=254, null=True, db_index=True)  # noqa: DJ001
    attributes = models.JSONField(_("attributes"), default=dict)
    provenance = models.JSONField(_("provenance"), default=dict)
    claimed = models.JSONField(_("claimed values"), default=dict)
    created_at = MomentField(
        _("created at"), null=True, help_text=_("What the site sent as created_at.")
    )
    first_seen = MomentField(_("first seen"))
    last_seen = MomentField(_("last seen"))

    objects = PersonQuerySet.as_manager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        permissions = [
            ("merge_person", "Can merge people"),
            ("erase_person", "Can erase people"),
            ("export_person", "Can export people"),
        ]
        indexes = [models.Index(fields=["root", "-last_seen"], name="person_seen")]

    def __str__(self) -> str:
        return self.full_name or self.email or self.user_id or self.cio_id[:8]

    @property
    def full_name(self) -> str:
        """First and last name, as far as the attributes tell."""
        for keys in NAME_ATTRIBUTES:
            parts = [str(self.attributes[key]) for key in keys if self.attributes.get(key)]
            if parts:
                return " ".join(parts)
        return ""

    @property
    def own(self) -> Ref:
        """The id or email that this row is anchored at, whatever it is called by now.

        Nearly always what is shown; else it is asked for.
        """
        shown = ((Kind.ID, self.user_id), (Kind.EMAIL, self.email))
        refs = [Ref(kind, value) for kind, value in shown if value]
        return next((ref for ref in refs if ref.key == self.pk), None) or self.anchor.ref

    @property
    def is_lead(self) -> bool:
        return self.user_id is None

    @property
    def initials(self) -> str:
        """One or two letters for an avatar."""
        words = str(self).replace("@", " ").split() or ["?"]
        return "".join(word[0] for word in words[:2]).upper()

    @cached_property
    def component(self) -> list[UUID]:
        """The keys of all rows that are this one person: itself and what folded into it."""
        folded = Person.objects.using(self._state.db).filter(root=self.pk)
        return [self.pk, *folded.values_list("pk", flat=True)]

    @property
    def activities(self) -> ActivityQuerySet:
        """The whole history, newest first, what was done anonymously included."""
        activity: type[Activity] = self._meta.apps.get_model("identity_tracking", "Activity")
        return activity.objects.using(self._state.db).of(self)

    @property
    def first_touch(self) -> Activity | None:
        """The first activity to which a campaign led, or None: ``.context["campaign"]``."""
        return self.activities.touches().order_by("timestamp", "pk").first()

    @property
    def last_touch(self) -> Activity | None:
        """The last activity to which a campaign led, or None."""
        return self.activities.touches().first()

    @property
    def relationships(self) -> models.QuerySet[ObjectRelationship]:
        """What this person relates to: ``.object.object_type``, ``.object.object_id``."""
        name = "ObjectRelationship"
        model: type[ObjectRelationship] = self._meta.apps.get_model("identity_tracking", name)
        mine = model.objects.using(self._state.db).filter(identifier=self.pk)
        return mine.select_related("object")

    @property
    def identifiers(self) -> models.QuerySet[Identifier]:
        """Every identifier that is, at some time, this person's."""
        mine = Ownership.objects.of(self.component).values("identifier")
        return Identifier.objects.filter(Q(pk__in=mine)).order_by("-kind", "created_at")


def owner_of(stretch: Ownership) -> Person | None:
    """Return who stands behind a stretch: in a gap only one person on both sides does."""
    person = _root(stretch.person)
    if stretch.after_id is not None and _root(stretch.after) != person:
        return None
    return person


def new_person(ref: Ref, first_seen: datetime, last_seen: datetime) -> Person:
    """Return an unsaved person anchored at ``ref``, an id or an email."""
    return Person(
        anchor_id=ref.key,
        user_id=ref.value if ref.kind is Kind.ID else None,
        email=ref.value if ref.kind is Kind.EMAIL else None,
        first_seen=first_seen,
        last_seen=last_seen,
    )


def _root(person: Person | None) -> Person | None:
    return person and (person.root or person)
