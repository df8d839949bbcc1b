"""As much of django-allauth as its verified addresses take: its model, by its name."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class EmailAddress(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    email = models.EmailField()
    verified = models.BooleanField(default=False)

    class Meta:
        app_label = "account"

    def __str__(self) -> str:
        return self.email
