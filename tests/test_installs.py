from __future__ import annotations

from tests.installs import Install

NO_ZONES = 'USE_TZ, TIME_ZONE = False, "America/New_York"'


def test_a_site_without_time_zones_keeps_the_right_times(tmp_path):
    Install(tmp_path, NO_ZONES).run(
        """
        from datetime import UTC, datetime, timedelta
        from django.db import connection
        from identity_tracking import merge, track as keep, why

        noon = datetime(2024, 11, 5, 12, tzinfo=UTC)
        keep(None, "noon", id="42", timestamp=noon)
        keep(None, "local", id="42", timestamp=datetime(2024, 11, 5, 7))
        keep(None, "unix", id="42", timestamp=noon.timestamp())
        Browser().send(track("now", anonymous_id="a-1"), identify("42", anonymous_id="a-1"))

        person = Person.objects.find(id="42")
        times = {one.name: one.timestamp for one in person.activities}
        assert times["noon"] == times["local"] == times["unix"] == person.first_seen == noon
        assert abs(datetime.now(UTC) - times["now"]) < timedelta(minutes=1), times
        with connection.cursor() as cursor:
            cursor.execute("SELECT min(timestamp) FROM identity_tracking_activity")
            assert str(cursor.fetchone()[0]) == "2024-11-05 12:00:00", "not kept in UTC"

        keep(None, "other", id="43")
        merge(person, Person.objects.find(id="43")).undo()
        assert [reason.identifier.value for reason in why(person)] == ["42", "a-1"]
        call_command("identify_users")
        call_command("prune")
        """
    )


def test_a_site_without_time_zones_tells_the_two_hours_apart_that_its_clocks_run_twice(tmp_path):
    Install(tmp_path, NO_ZONES).run(
        """
        from datetime import UTC, datetime, timedelta
        from identity_tracking import track as keep

        first = datetime(2024, 11, 3, 5, 30, tzinfo=UTC)  # 1:30 a.m.
        second = first + timedelta(hours=1)  # 1:30 a.m. again
        keep(None, "second", id="42", timestamp=second)
        keep(None, "first", id="42", timestamp=first)

        newest, oldest = Person.objects.find(id="42").activities
        assert (newest.name, oldest.name) == ("second", "first")
        assert newest.timestamp - oldest.timestamp == timedelta(hours=1)
        assert newest.timestamp.hour == oldest.timestamp.hour == 1
        """
    )


def test_the_admin_of_a_site_without_time_zones_shows_its_local_time(tmp_path):
    Install(tmp_path, NO_ZONES).run(
        """
        from datetime import UTC, datetime
        from django.contrib.auth.models import User
        from identity_tracking import track as keep

        keep(None, "moved in", id="42", timestamp=datetime(2024, 11, 6, 2, tzinfo=UTC))
        staff = Browser()
        staff.force_login(User.objects.create_superuser("staff"))
        where = "admin:identity_tracking_"

        activities = staff.get(reverse(where + "activity_changelist"))
        assert "Nov. 5, 2024, 9 p.m." in activities.content.decode()
        """
    )
