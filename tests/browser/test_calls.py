"""Calls: from the stub, from push, in one request, with whatever data."""

from __future__ import annotations

import pytest

from tests.browser.conftest import CLASSIC_STUB, tag

pytestmark = pytest.mark.browser("chromium", "firefox")


def test_01_stub_calls_replay_in_order_once(site, page):
    calls = "_cio.track('one'); _cio.identify({id: '7'}); _cio.track('two', {n: 1})"

    page.goto(site.add("/", f"<script>{calls}</script>", auto_track_page="false"))
    site.wait_for("two")

    assert [m.get("name", m["type"]) for m in site.messages] == ["one", "identify", "two"]
    assert "id" not in site.messages[0]
    assert site.messages[2]["id"] == "7"
    assert site.messages[2]["data"] == {"n": 1}
    assert len(site.posts) == 1


def test_02_push_runs_calls_before_and_after_load_and_ignores_unknown_ones(site, page):
    page.goto(site.add("/", "<script>_cio.push(['track', 'before'], ['nothing'])</script>"))
    site.wait_for("before")

    page.evaluate(
        "_cio.push(['constructor'], ['__proto__', 1], [], null, 'track', ['track', 'after'])"
    )

    site.wait_for("after")
    assert [m["type"] for m in site.messages] == ["track", "page", "track"]
    assert page.evaluate("_cio.push !== Array.prototype.push")


def test_02_methods_taken_from_the_stub_still_work_after_load(site, page):
    page.goto(site.add("/", "<script>var early = _cio.track, queue = _cio</script>"))
    site.wait(lambda: site.of("page"))

    page.evaluate("early('kept'); queue.push(['track', 'pushed'])")

    site.wait_for("kept")
    site.wait_for("pushed")


def test_03_context_is_that_of_the_call(site, page):
    site.script.clear()
    page.goto(site.add("/start", "<script>_cio.track('early')</script>"), wait_until="commit")
    page.evaluate("history.pushState(0, '', '/later'); document.title = 'Later'")
    called = page.evaluate("_cio.track('late'), Date.now()")

    page.wait_for_function(f"Date.now() > {called} + 500")
    site.script.set()

    late, early = site.wait_for("late"), site.wait_for("early")
    assert (early["url"], early["title"]) == (site.url("/start"), "/start")
    assert (late["url"], late["title"]) == (site.url("/later"), "Later")
    assert early["time"] <= late["time"] <= called
    assert int(late["message_id"].replace("-", "")[:12], 16) == late["time"]


def test_04_a_second_tag_and_stub_do_nothing(site, page):
    page.goto(site.add("/", f"<script>_cio.track('once')</script>{tag()}{tag()}"))
    site.wait_for("once")

    page.add_script_tag(url="/people/visitor.js?again")
    page.evaluate(site.pages["/"].split("<script>")[1].split("</script>")[0])
    page.evaluate("_cio.track('fence')")

    site.wait_for("fence")
    assert [m["type"] for m in site.messages] == ["track", "page", "track"]


def test_05_without_the_script_the_page_works_and_the_queue_is_bounded(site, page):
    page.route("**/visitor.js", lambda route: route.abort())
    page.goto(site.add("/"))

    kept = page.evaluate("for (let i = 0; i < 1500; i++) _cio.track('n', {i}); _cio.length")

    assert kept == 1000
    assert site.posts == []


def test_17_arrays_are_kept_when_asked_for(site, page):
    page.goto(site.add("/", auto_track_page="false"))
    page.wait_for_function("_cio.cookieNamespace === '_cio'")

    page.evaluate("_cio.track('arrays', {list: ['a', ['b', {c: ['d']}]]})")

    assert site.wait_for("arrays")["data"] == {"list": ["a", ["b", {"c": ["d"]}]]}


@pytest.mark.parametrize("setting", ["false", ""])
def test_17_arrays_else_become_objects_at_every_depth(site, page, setting):
    page.goto(site.add("/", auto_track_page="false", use_array_params=setting))
    page.wait_for_function("_cio.cookieNamespace === '_cio'")

    page.evaluate("_cio.track('arrays', {list: ['a', ['b', {c: ['d']}]]})")
    page.evaluate("_cio.identify({id: '7', likes: ['tea']}), _cio.page('p', {tags: ['x']})")

    expected = {"list": {"0": "a", "1": {"0": "b", "1": {"c": {"0": "d"}}}}}
    assert site.wait_for("arrays")["data"] == expected
    assert site.wait_for("p")["data"] == {"tags": {"0": "x"}}
    assert site.of("identify")[0]["data"] == {"id": "7", "likes": {"0": "tea"}}


def test_17_whatever_the_data_is_nothing_throws(site, page):
    page.goto(site.add("/", auto_track_page="false"))
    page.wait_for_function("_cio.cookieNamespace === '_cio'")

    page.evaluate("""() => {
        const shared = {x: 1}
        const data = {
          date: new Date(0), invalid: new Date(NaN), url: new URL('https://a.test/'), nan: NaN,
          infinite: -Infinity, none: undefined, fn() {}, symbol: Symbol(), nil: null,
          list: [1, undefined, () => 1, NaN], a: shared, b: shared, empty: '', zero: 0, nought: 0,
          no: false, same: 1, again: 1, nix: null,
          ['__proto__']: {polluted: true},
        }
        const cycle = {}
        cycle.cycle = cycle
        const broken = {get broken() { throw Error('mine') }}
        const own = {own: data, cycle, broken, big: 10n, last: true}
        Object.defineProperty(own, 'mine', {enumerable: true, get() { throw Error('mine') }})
        _cio.track('values', Object.create({a: 1}, Object.getOwnPropertyDescriptors(own)))
    }""")

    assert site.wait_for("values")["data"]["own"] == {
        "date": "1970-01-01T00:00:00.000Z",
        "invalid": None,
        "url": "https://a.test/",
        "nan": None,
        "infinite": None,
        "nil": None,
        "list": [1, None, None, None],
        "a": {"x": 1},
        "b": {"x": 1},
        "empty": "",
        "zero": 0,
        "nought": 0,
        "no": False,
        "same": 1,
        "again": 1,
        "nix": None,
        "__proto__": {"polluted": True},
    }
    assert list(site.messages[0]["data"]) == ["own", "last"]


@pytest.mark.browser("chromium")
@pytest.mark.parametrize(
    "call",
    [
        "track()",
        "track('')",
        "track({})",
        "identify()",
        "identify(null)",
        "identify('')",
        "identify({})",
        "identify({id: null, email: ' '})",
        "identify({id: NaN})",
        "identify([])",
        "push(null, undefined, 7, {}, [[]], [[[]]])",
        "on()",
        "off('page', 1)",
        "load()",
    ],
)
def test_17_calls_that_say_nothing_do_nothing(site, page, call):
    page.goto(site.add("/", auto_track_page="false"))
    page.wait_for_function("_cio.cookieNamespace === '_cio'")

    page.evaluate(f"_cio.{call}, _cio.track('fence')")

    site.wait_for("fence")
    assert len(site.messages) == 1
    assert page.evaluate("_cio._findCustomer()") == ""


@pytest.mark.browser("chromium")
def test_17_a_framework_object_does_not_freeze_the_page(site, page):
    page.goto(site.add("/", auto_track_page="false"))
    page.wait_for_function("_cio.cookieNamespace === '_cio'")

    spent = page.evaluate("""() => {
        const nodes = Array.from({length: 40}, (_, name) => ({name}))
        for (const node of nodes) nodes.forEach((other, i) => { node['to' + i] = other })
        const start = performance.now()
        _cio.track('graph', {nodes})
        return performance.now() - start
    }""")

    site.wait_for("graph")
    assert spent < 1000


def test_34_ten_calls_in_one_task_are_one_post(site, page):
    page.goto(site.add("/"))
    site.wait(lambda: site.posts)

    page.evaluate("for (let i = 0; i < 10; i++) _cio.track('call ' + i)")

    site.wait_for("call 9")
    assert len(site.posts) == 2
    assert [m["name"] for m in site.of("track")] == [f"call {i}" for i in range(10)]


@pytest.mark.browser("chromium")
def test_34_a_page_view_is_one_small_post(site, page):
    url = site.add("/", "<script>_cio.track('early')</script>", auto_track_page="false")
    site.add("/view")

    page.goto(url)
    site.wait_for("early")
    page.goto(site.url("/view"))
    view = site.wait(lambda: [p for p in site.posts if "/view" in p.text])[0]

    size = len(view.text) - len(site.url("/view")) - len(site.url("/")) - len('"referrer":"",')
    assert size <= 300
    assert len(site.posts) == 2
    assert view.path == "/people/visit/"
    assert view.headers["Content-Type"].startswith("text/plain")


def test_39_handlers_get_the_arguments_and_cannot_break_the_call(site, page):
    page.goto(site.add("/", "<script>_cio.on('page', () => window.early = true)</script>"))
    site.wait(lambda: site.of("page"))

    page.evaluate("""() => {
        window.heard = []
        window.hear = (...args) => heard.push(args)
        _cio.on('track', () => { throw Error('mine') })
        for (const event of ['track', 'identify', 'reset']) _cio.on(event, hear)
        _cio.track('one', {n: 1}); _cio.track(''); _cio.identify('7', {a: 1}); _cio.reset()
        _cio.off('track', hear)
        _cio.track('two')
    }""")

    site.wait_for("two")
    assert page.evaluate("heard") == [["one", {"n": 1}], ["7", {"a": 1}], []]
    assert page.evaluate("early")


def test_the_classic_array_stub_works(site, page):
    calls = "_cio.identify({id: '7'}); _cio.track('early', {a: [1]}); _cio.push(['reset'])"
    site.pages["/"] = f"<title>T</title><script>{CLASSIC_STUB}{calls}</script>"

    page.goto(site.url())
    early = site.wait_for("early")
    page.evaluate("_cio.track('late')")

    assert early["data"] == {"a": [1]}
    assert (early["id"], early["url"]) == ("7", site.url())
    late = site.wait_for("late")
    assert "id" not in late
    assert late["anonymous_id"] != early["anonymous_id"]
    assert site.posts[0].path == "/people/visit/"


def test_no_global_is_left_but_cio(site, page):
    note = "window.bare = new Set(Object.getOwnPropertyNames(window)).add('bare')"
    page.goto(site.add("/", before=note))
    site.wait(lambda: site.posts)

    added = page.evaluate("Object.getOwnPropertyNames(window).filter(name => !bare.has(name))")
    assert [name for name in added if not name.startswith("__pw_")] == ["_cio"]  # the driver's
