"""The OpenAPI document: it is valid, has every endpoint and none else, and is for staff."""

from __future__ import annotations

import re

import pytest
from django.test import Client, RequestFactory
from django.urls import URLResolver, get_resolver, resolve, reverse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import spectacular_settings
from drf_spectacular.validation import validate_schema

from identity_tracking.api.openapi.generator import ROOMS, Generator
from identity_tracking.api.openapi.views import SchemaView
from identity_tracking.api.shapes import SHAPES
from tests.test_structure import MODULES

DOCUMENT = Generator().get_schema()
PREFIX = "/people"
OPERATIONS = [operation for room in ROOMS for operation in room.operations]
IMPLIED = {"head", "options"}  # HEAD is GET's; OPTIONS is told where it is a preflight
SAYING = ("api/", "exceptions.py", "messages.py", "payloads.py")  # what refuses a call, and why
NOBODYS = {"error", "hook_failed", "invalid_identifier", "not_json"}  # codes that no call gets


def filled(path):
    """Return a path of the document as somebody may call it."""
    return PREFIX + re.sub(r"\{\w+\}", "7", path)


def patterns(resolver):
    for one in resolver.url_patterns:
        yield from patterns(one) if isinstance(one, URLResolver) else [one]


def view_of(callback):
    """Return what tells two patterns of the same meaning from two of another."""
    kind = getattr(callback, "cls", None)
    return (kind or callback, tuple(callback.view_initkwargs.items()) if kind else ())


def methods_of(callback):
    kind = getattr(callback, "cls", None)
    if kind is None:
        return {"get"}  # the script: require_safe
    methods = {name for name in kind.http_method_names if hasattr(kind, name)}
    return methods if "options" in vars_of(kind) else methods - IMPLIED


def vars_of(kind):
    """Return what ``kind`` and its bases among our own define."""
    own = [base for base in kind.__mro__ if base.__module__.startswith("identity_tracking")]
    return {name for base in own for name in vars(base)}


def codes_of(shape):
    """Yield the codes that a part of the document lists."""
    if isinstance(shape, dict):
        named = shape.get("properties", {})
        for name in ("code", "reason"):
            if isinstance(named, dict) and "enum" in (named.get(name) or {}):
                yield from named[name]["enum"]
        shape = list(shape.values())
    if isinstance(shape, list):
        for part in shape:
            yield from codes_of(part)


def test_the_document_is_valid():
    validate_schema(DOCUMENT)


def test_it_has_every_endpoint_and_method_and_none_else():
    (ours,) = [
        one
        for one in get_resolver().url_patterns
        if isinstance(one, URLResolver) and one.app_name == "identity_tracking"
    ]
    there = {
        (view_of(one.callback), method)
        for one in patterns(ours)
        for method in methods_of(one.callback)
    }

    told = {(view_of(resolve(filled(one.path)).func), one.method) for one in OPERATIONS}

    assert told == there


def test_the_paths_that_mean_the_same_do():
    for one in OPERATIONS:
        bare = one.path.rstrip("/")
        for path in (*one.also, *((bare, f"{bare}/") if one.method == "post" else ())):
            here, there = (resolve(filled(each)).func for each in (one.path, path))
            assert view_of(here) == view_of(there), path


def test_every_code_is_told():
    sources = [text for name, text in MODULES.items() if name.startswith(SAYING)]
    said = {code for text in sources for code in re.findall(r'code ?= ?"(\w+)"', text)}

    assert said - set(codes_of(DOCUMENT)) == NOBODYS


def test_every_operation_has_a_name_of_its_own():
    names = [one.id for one in OPERATIONS]

    assert len(set(names)) == len(names)


def test_no_two_rooms_name_a_shape_alike():
    names = [*SHAPES, *(name for room in ROOMS for name in (*room.shapes, *room.security))]

    assert len(set(names)) == len(names)


def test_every_shape_is_used():
    text = str(DOCUMENT)

    shapes = DOCUMENT["components"]["schemas"]
    assert [name for name in shapes if f"'#/components/schemas/{name}'" not in text] == []


@pytest.mark.django_db
def test_staff_get_it_with_the_address_of_the_site(admin_client):
    answer = admin_client.get(reverse("identity_tracking:schema"))

    document = answer.json()
    assert document == {**DOCUMENT, "servers": [{"url": "http://testserver/people"}]}
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "private, no-store"


@pytest.mark.django_db
def test_nobody_else_does(django_user_model):
    member = Client()
    member.force_login(django_user_model.objects.create(username="ada"))

    for client in (Client(), member):
        answer = client.get(reverse("identity_tracking:schema"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "staff_only")


def test_a_site_without_users_has_no_staff():
    answer = SchemaView.as_view()(RequestFactory().get("/"))

    assert answer.status_code == 403


def test_the_sites_own_document_has_nothing_of_it():
    assert SchemaGenerator().get_schema(public=True)["paths"] == {}


def test_the_sites_own_settings_change_nothing_in_it(monkeypatch):
    def spoil(**_):
        raise AssertionError("the site's own hook was called")

    monkeypatch.setattr(spectacular_settings, "POSTPROCESSING_HOOKS", [spoil])
    monkeypatch.setattr(spectacular_settings, "TITLE", "The shop's own API")

    assert Generator().get_schema() == DOCUMENT
