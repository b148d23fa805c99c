"""A stranger's config: read, or refused with a VemlError; nothing is run, filled or waited for."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given

from tests.hostile.mutations import deep, fuzz, mutated_bytes
from veml_vcs.errors import FormatError, NotFoundError, VemlError
from veml_vcs.versions.configs import model_facts, read_config

SOUND = b"""_base_ = 'base.py'
scale = (1333, 800)
model = dict(type='A', backbone=dict(type='R', depth=101), heads=[dict(n=i) for i in range(3)])
pipeline = [*_base_.pipeline, dict(type=f'Pack{scale[0]}')]
keys = {k: v for k, v in zip('ab', [1, 2.5])}
keys.update(c=len(pipeline) * 2 ** 3 // 2 - -1)
train = dict(p={{_base_.pipeline}}, t={{ _base_.name }}, d='{{ fileDirname }}')
if keys['a'] == 1 and not None:
    del keys['a']
"""
BASE = b"pipeline = [dict(type='Load')]\nname = 'x'\nmodel = dict(type='B')\n"
YAML = b"_base_: base.py\nmodel:\n  type: C\n  heads: [{type: H}, 1]\n"


def use(name: str, data: bytes) -> None:
    def read(path: str) -> bytes:
        if path == name:
            return data
        if path == "base.py":
            return BASE
        raise NotFoundError(f"{path}: not there")

    message = ""
    try:
        model_facts(read_config(name, read).values)
    except VemlError as error:
        message = error.message
    assert len(message) < 1000


@fuzz(150)
@given(data=mutated_bytes((SOUND,)))
@example(data=b"a = " + deep("[", "]"))
@example(data=b"a = " + deep("(", ")", 90))
@example(data=b"a = " + b"-" * 100_000 + b"1")
@example(data=b"a = 1" + b" + 1" * 50_000)
@example(data=b"a" * 500_000)
@example(data=b"a = 0\n" * 150_000)
@example(data=b"\0")
def test_python(data: bytes) -> None:
    use("top.py", data)


@fuzz(50)
@given(data=mutated_bytes((YAML,)))
@example(data=deep("[", "]", 10_000))
def test_yaml(data: bytes) -> None:
    use("top.yml", data)


@pytest.mark.parametrize(
    "text",
    [
        "a = 'x' * 10 ** 9",
        "a = [0] * 10 ** 9",
        "a = 10 ** 10 ** 10",
        "a = 1 << 10 ** 9",
        "a = list(range(10 ** 12))",
        "a = [[i for i in range(1000)] for j in range(1000)]\nb = [a for i in range(1000)]",
        "a = 'x' * 1000000\nb = a.replace('x', a)",
        "a = 'x' * 1000000\nb = a.join([a] * 1000)",
        "a = [0]\nfor i in range(60):\n    a.extend(a)",
        "a = [0]\nfor i in range(60):\n    a += a",
        "a = [0]\nfor i in range(60):\n    a = [a, a]\nb = str(a)",
        "a = [0]\nfor i in range(60):\n    a = [a, a]\nb = f'{a}'",
        "a = [0]\nb = [0]\nfor i in range(60):\n    a = [a, a]\n    b = [b, b]\nc = a == b",
        "a = (0,)\nfor i in range(60):\n    a = (a, a)\nb = {a: 1}",
        "a = (0,)\nfor i in range(60):\n    a = (a, a)\nb = dict([(a, 1)])",
        "a = (0,)\nb = (0,)\nfor i in range(60):\n    a = (a, a)\n    b = (b, b)\nc = max([a, b])",
        "a = [0]\nfor i in range(60):\n    a = [a, a]",
        "a = dict(x=1)\nfor i in range(60):\n    a = dict(x=a, y=a)",
        "a = 1\nb = f'{a:999999999}'",
        "a = [j for i in range(10000) for j in range(10000)]",
        "for i in range(1000000):\n    for j in range(1000000):\n        pass",
        "a = []\na.append(a)",
        "a = dict()\na['a'] = a",
        "a = '%1000000000d' % 1",
        "a = sum([[1]] * 1000, [])",
    ],
)
def test_what_would_fill_memory_or_take_for_ever(text: str) -> None:
    with pytest.raises(FormatError):
        read_config("a.py", lambda _path: text.encode())


LONG = "a = [0] * 200000\n"


@pytest.mark.parametrize(
    "text",
    [
        LONG + "b = []\nfor i in range(20):\n    b.append(list(a))",
        LONG + "b = []\nfor i in range(20):\n    b.append(a[:])",
        LONG + "b = {}\nfor i in range(20):\n    b[i] = a + []",
        LONG + "b = []\nfor i in range(20):\n    b = sorted(a)",
        LONG + "for i in range(20):\n    b = 1 in a",
        LONG + "for i in range(20):\n    b = a.index(0)",
        LONG + "for i in range(20):\n    for j in []:\n        pass\n    a[:] = a",
        LONG + "b = [" + "*a, " * 20 + "]",
        LONG + "b = zip(*[a] * 20)",
        "a = 'x' * 200000\nb = f'" + "{a}" * 20 + "'",
        "a = {str(i): i for i in range(20000)}\nfor i in range(200):\n    b = {**a}",
        "a = {str(i): i for i in range(20000)}\nfor i in range(200):\n    b = dict(**a)",
        "for i in range(200):\n    a = [0 for (" + "x, " * 20000 + ") in []]",
    ],
)
def test_many_steps_that_each_copy_much(text: str) -> None:
    with pytest.raises(FormatError, match="makes or goes through more elements"):
        read_config("a.py", lambda _path: text.encode())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = round(1, -(10 ** 5))", "more digits"),
        ("a = round(1, ndigits=-(10 ** 5))", "more digits"),
        ("a = {i * (2 ** 61 - 1): 0 for i in range(2000)}", "beyond any config"),
        ("a = dict(zip([i * (2 ** 61 - 1) for i in range(2000)], 'ab'))", "beyond any config"),
        ("a = [0] * 100000\nb = a\nc = a\n", "says more"),
        ("a = ['x' * 100000] * 1000\n", "says more"),
        ("a = '" + "{{ fileDirname }}" * 60_000 + "'", "characters are more"),
        ("_base_ = 5", "_base_ names files, found int"),
        ("_base_ = 1 / 0", "ZeroDivisionError"),
        ("_base_ = 'a\\0.py'", "no file can have this name"),
        ("_base_ = 'a\\ud800.py'", "no file can have this name"),
        ("with read_base():\n    from .....a import *", "lies outside of the repository"),
    ],
)
def test_what_else_is_refused(text: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        read_config("a folder of a name/b/a.py", lambda _path: text.encode())


def test_a_module_that_is_no_package() -> None:
    with pytest.raises(NotFoundError, match="not installed"):
        read_config("a.py", lambda _path: b"_base_ = '__main__::x.py'")


def test_a_number_that_json_has_and_no_float() -> None:
    text = '{"optim_wrapper": {"optimizer": {"lr": 1' + "0" * 400 + "}}}"
    with pytest.raises(FormatError, match="beyond any config"):
        read_config("a.json", lambda _path: text.encode())


@pytest.mark.parametrize("text", ["'{{$a:" + " " * 3000 + "'", "'" + "{{$a:" * 33_000 + "'"])
def test_what_a_pattern_would_try_in_all_ways(text: str) -> None:
    """With the pattern that asked for the spaces on both sides these took minutes."""
    found = read_config("a.py", lambda _path: f"a = {text}".encode())
    assert found.values == {"a": text[1:-1]}


def test_bases_of_bases_without_number() -> None:
    """Two files that both inherit from two, and so on: few files, read 2 ** 60 times."""

    def read(path: str) -> bytes:
        following = int(path[1:-5]) + 1
        names = [] if following > 60 else [f"a{following}.json", f"b{following}.json"]
        return json.dumps({"_base_": names}).encode()

    with pytest.raises(FormatError, match="more than 256 files"):
        read_config("a0.json", read)


WIDE = "{0} = {{}}\nfor i in range(40):\n    {0} = dict(x={0}, y={0})\n"
DEEP = "{0} = {{}}\nfor i in range(3000):\n    {0} = dict(x={0})\n"


@pytest.mark.parametrize(("text", "said"), [(WIDE, "takes more than any"), (DEEP, "too deep")])
def test_merging_into_what_is_inherited_does_not_unfold(text: str, said: str) -> None:
    def read(path: str) -> bytes:
        return (("_base_ = 'base.py'\n" if path == "top.py" else "") + text.format("a")).encode()

    with pytest.raises(FormatError, match=said):
        read_config("top.py", read)


@pytest.mark.parametrize(("text", "said"), [(WIDE, "more elements"), (DEEP, "too deep")])
def test_merging_does_not_unfold(text: str, said: str) -> None:
    both = text.format("a") + text.format("b") + "a.merge(b)\n"
    with pytest.raises(FormatError, match=said):
        read_config("a.py", lambda _path: both.encode())


def test_yaml_does_not_unfold() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 9) + "]" for i in range(1, 12)]
    with pytest.raises(FormatError, match="aliases"):
        read_config("a.yml", lambda _path: "\n".join(lines).encode())


def test_a_chain_of_bases_without_end() -> None:
    def read(path: str) -> bytes:
        return f"_base_ = '{int(path[:-3]) + 1}.py'\n".encode()

    with pytest.raises(FormatError, match="more than"):
        read_config("0.py", read)


def test_nothing_is_run(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way to reach something that acts; the evaluator reaches values alone."""
    import builtins

    monkeypatch.setattr(builtins, "exec", None)
    monkeypatch.setattr(builtins, "eval", None)
    for text in (
        "a = __import__('os')", "a = getattr(1, 'real')", "a = dict.__subclasses__()",
        "a = ''.format", "a = '{0.__class__}'.format(1)", "a = [].__class__.__base__",
        "from os import system\nsystem('x')", "import os\na = os.environ['HOME']",
        "from os import environ\na = environ.get('HOME')",
        "custom_imports = dict(imports=['os'])\na = custom_imports.imports.sort",
        "with open('x') as f:\n    a = 1",
    ):  # fmt: skip
        with pytest.raises(FormatError):
            read_config("a.py", lambda _path, text=text: text.encode())  # type: ignore[misc]
