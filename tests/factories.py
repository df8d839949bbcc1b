"""Valid rows of every model, made directly: no message is processed and no rule applied."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from factory.declarations import LazyAttribute, Maybe, SelfAttribute, Sequence, SubFactory
from factory.django import DjangoModelFactory
from factory.helpers import post_generation

from identity_tracking.form_fields import Role
from identity_tracking.identifiers import Kind, Ref, digest
from identity_tracking.messages import ObjectRef, Type
from identity_tracking.models import (
    Activity,
    Claim,
    Conflict,
    Entrance,
    FailedEvent,
    Form,
    FormDay,
    FormField,
    Identifier,
    ObjectRelationship,
    Ownership,
    Person,
    Source,
    TrackedObject,
)
from identity_tracking.models.conflict import Code
from identity_tracking.models.identifier import BEGINNING, END

START = datetime(2026, 11, 2, 9, tzinfo=UTC)

Row = TypeVar("Row")


class Factory(DjangoModelFactory[Row]):
    """What makes a row when it is called."""

    if TYPE_CHECKING:

        def __new__(cls, **fields: Any) -> Row: ...  # type: ignore[misc]


class IdentifierFactory(Factory[Identifier]):
    """An identifier; unless told otherwise an anonymous visitor, whom nobody owns."""

    class Meta:
        model = Identifier
        django_get_or_create = ("id",)

    kind = Kind.ANONYMOUS_ID
    value = Sequence(lambda n: f"visitor-{n}")
    id = LazyAttribute(lambda row: Ref(row.kind, row.value).key)
    created_at = START


class PersonFactory(Factory[Person]):
    """Somebody with an id, who owns it for all time; and the ``email``, where one is given."""

    class Meta:
        model = Person
        skip_postgeneration_save = True

    user_id = Sequence(lambda n: f"person-{n}")
    email = None
    anchor = Maybe(
        "user_id",
        SubFactory(IdentifierFactory, kind=Kind.ID, value=SelfAttribute("..user_id")),
        SubFactory(IdentifierFactory, kind=Kind.EMAIL, value=SelfAttribute("..email")),
    )
    first_seen = START
    last_seen = START

    @post_generation
    def ownership(self: Person, create, extracted, **kwargs) -> None:
        if not create or self.root_id:
            return
        OwnershipFactory(identifier=self.anchor, person=self)
        if self.user_id and self.email:
            email = IdentifierFactory(kind=Kind.EMAIL, value=self.email)
            OwnershipFactory(identifier=email, person=self)


class LeadFactory(PersonFactory):
    """Somebody with an email, whose id is still open."""

    user_id = None  # type: ignore[assignment]
    email = Sequence(lambda n: f"lead-{n}@example.com")  # type: ignore[assignment]


class OwnershipFactory(Factory[Ownership]):
    class Meta:
        model = Ownership

    identifier = SubFactory(IdentifierFactory)
    person = SubFactory(PersonFactory)
    since = BEGINNING
    until = END


class ActivityFactory(Factory[Activity]):
    """An event a minute, one after the other."""

    class Meta:
        model = Activity

    identifier = SubFactory(IdentifierFactory)
    type = Type.TRACK
    name = "added_to_cart"
    timestamp = Sequence(lambda n: START + timedelta(minutes=n))
    received_at = SelfAttribute("timestamp")
    source = "shop"
    trusted = False
    message_id = Sequence(lambda n: f"message-{n}")
    id = LazyAttribute(lambda row: digest(row.source, str(int(row.trusted)), row.message_id))


class ClaimFactory(Factory[Claim]):
    """What an identify said: that ``weak`` belongs to ``target``."""

    class Meta:
        model = Claim

    weak = SubFactory(IdentifierFactory)
    target = SubFactory(IdentifierFactory, kind=Kind.ID, value=Sequence(lambda n: f"target-{n}"))
    activity = SubFactory(
        ActivityFactory, identifier=SelfAttribute("..target"), type=Type.IDENTIFY, name=""
    )
    time = SelfAttribute("activity.timestamp")
    message_id = SelfAttribute("activity.message_id")
    trusted = SelfAttribute("activity.trusted")
    source = SelfAttribute("activity.source")
    firm = True


class TrackedObjectFactory(Factory[TrackedObject]):
    class Meta:
        model = TrackedObject
        django_get_or_create = ("id",)

    object_type = "company"
    object_id = Sequence(lambda n: f"company-{n}")
    id = LazyAttribute(lambda row: ObjectRef(row.object_type, row.object_id).key)
    created_at = START


class ObjectRelationshipFactory(Factory[ObjectRelationship]):
    class Meta:
        model = ObjectRelationship

    identifier = SubFactory(IdentifierFactory)
    object = SubFactory(TrackedObjectFactory)


class ConflictFactory(Factory[Conflict]):
    class Meta:
        model = Conflict

    code = Code.TOO_MANY_PEOPLE
    identifier = SubFactory(IdentifierFactory)
    id = LazyAttribute(lambda row: digest(row.code, row.identifier.value, row.detail))
    detail = ""
    found_at = Sequence(lambda n: START + timedelta(minutes=n))


class FailedEventFactory(Factory[FailedEvent]):
    class Meta:
        model = FailedEvent

    code = "no_identifier"
    entrance = Entrance.SCRIPT
    payload = '{"type": "track"}'
    source = "shop"
    trusted = False
    received_at = Sequence(lambda n: START + timedelta(minutes=n))


class SourceFactory(Factory[Source]):
    """A source beside the settings'; ``sources.make_key`` makes it a key."""

    class Meta:
        model = Source

    site_id = Sequence(lambda n: f"source-{n}")
    name = SelfAttribute("site_id")


class FormFactory(Factory[Form]):
    """A form that a page sent; nothing of it says yet who it is."""

    class Meta:
        model = Form

    source = "shop"
    form_id = Sequence(lambda n: f"form-{n}")
    id = LazyAttribute(lambda row: Form.key(row.source, row.form_id))
    trusted = False
    first_seen = START
    last_seen = Sequence(lambda n: START + timedelta(minutes=n))


class FormFieldFactory(Factory[FormField]):
    class Meta:
        model = FormField

    form = SubFactory(FormFactory)
    name = Sequence(lambda n: f"field-{n}")
    id = LazyAttribute(lambda row: FormField.key(row.form.pk, row.name))
    role = Role.ATTRIBUTE


class FormDayFactory(Factory[FormDay]):
    class Meta:
        model = FormDay

    form = SubFactory(FormFactory)
    day = LazyAttribute(lambda row: START.date())
    id = LazyAttribute(lambda row: FormDay.key(row.form.pk, row.day))
    submissions = 1
