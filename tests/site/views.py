"""Pages of the kinds that a site serves."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_page


def home(request: HttpRequest) -> HttpResponse:
    return render(request, "home.html")


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse("plain", content_type="text/plain")


@cache_page(60)
def cached(request: HttpRequest) -> HttpResponse:
    return render(request, "home.html")


def signed(request: HttpRequest) -> HttpResponse:
    return render(request, "signed.html", {"collector": request.GET.get("collector")})


@cache_page(60)
def signed_cached(request: HttpRequest) -> HttpResponse:
    return render(request, "signed.html")


def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(["<!doctype html>", "<title>Stream</title>"])


def visitor(request: HttpRequest) -> HttpResponse:
    return render(request, "visitor.html")


def who(request: HttpRequest) -> HttpResponse:
    return render(request, "who.html")
