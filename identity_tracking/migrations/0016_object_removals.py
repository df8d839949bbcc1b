from __future__ import annotations

from typing import Any

from django.db import migrations, models


def fill(apps: Any, schema_editor: Any) -> None:
    """Note of each object its last deletion of each trust, which until now its registers told."""
    objects = apps.get_model("identity_tracking", "TrackedObject").objects.using(
        schema_editor.connection.alias
    )
    for one in objects.filter(registers__isnull=False).only("registers").iterator():
        removals = {
            slot: one.registers[slot]["-"]
            for slot in ("t", "u")
            if "-" in one.registers.get(slot, {})
        }
        if removals:
            objects.filter(pk=one.pk).update(removals=removals)


class Migration(migrations.Migration):
    dependencies = [
        ("identity_tracking", "0015_suppressed_together"),
    ]

    operations = [
        migrations.AddField(
            model_name="trackedobject",
            name="removals",
            field=models.JSONField(null=True, verbose_name="removals"),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
