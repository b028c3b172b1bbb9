"""Any program as a method, and pictures marked elsewhere, with a real program that writes real marks."""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import pytest
from PIL import Image

from benchmarks.methods import MethodError, MethodMissing, method
from watermark.errors import UsageError

KEY = bytes(range(32))
MESSAGE = np.array([1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 1, 0], dtype=np.uint8)  # 12 bits: the last byte is filled
HOST = np.random.default_rng(1).integers(0, 256, (24, 40, 3)).astype(np.uint8)

# Writes the first byte of the key and the message into lowest bits; reads them, and knows its key.
PROGRAM = f"""#!{sys.executable}
import json, sys
import numpy as np
from PIL import Image

task, source, *rest = sys.argv[1:]
pixels = np.array(Image.open(source))
options = dict(zip(rest[-4::2], rest[-3::2])) if task == "embed" else dict(zip(rest[::2], rest[1::2]))
key = options["--key"][:2]
if task == "embed":
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(key + options["--message"]), dtype=np.uint8))
    flat = pixels.reshape(-1)
    flat[: len(bits)] = flat[: len(bits)] & 0xFE | bits
    Image.fromarray(pixels).save(rest[0])
else:
    read = np.packbits(pixels.reshape(-1)[:24] & 1).tobytes()
    present = read[:1].hex() == key
    answer = {{"present": present, "score": float(present), "bits": read[1:].hex(), "p": 2**-8 if present else None}}
    print(json.dumps(answer))
"""


@pytest.fixture
def described(tmp_path):
    """Writes a program and its description; gives the method's name."""

    def write(source=PROGRAM, kind="command", **values):
        path = tmp_path / "program"
        path.write_text(source)
        path.chmod(0o755)
        table = {"name": "mine", "program": "program", "message_bits": len(MESSAGE), **values}
        text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in table.items())  # these JSON values are TOML
        (tmp_path / "mine.toml").write_text(text)
        return f"{kind}:{tmp_path / 'mine.toml'}"

    return write


def script(body):
    return f"#!/bin/sh\n{body}\n"


def test_a_program_marks_and_reads(described):
    mine = method(described())
    marked = mine.embed(HOST, MESSAGE, KEY)
    assert np.abs(marked.astype(int) - HOST).max() == 1
    assert np.array_equal(np.packbits(marked.reshape(-1)[8:20] & 1), np.packbits(MESSAGE))
    reading = mine.detect(marked, KEY)
    assert (reading.present, reading.score, reading.p) == (True, 1.0, 2**-8)
    assert np.array_equal(reading.bits, MESSAGE)
    assert not mine.detect(marked, bytes([7] * 32)).present


def test_a_program_that_only_gives_bits_is_judged_by_a_claim(described):
    mine = method(described(script('echo \'{"bits": "b2e0"}\''), blind=False))
    assert mine.detect(HOST, KEY, MESSAGE).score == 1.0
    assert mine.detect(HOST, KEY, 1 - MESSAGE).score == 0.0
    assert mine.detect(HOST, KEY).p is None


def test_arguments_are_configurable(described):
    embed = ["{program}", "{out}", "{in}", "{message}", "{strength}"]
    mine = method(described(script('[ "$3" = b2e0 ] && [ "$4" = 43.5 ] && cp "$2" "$1"'), embed=embed, strength=40))
    assert np.array_equal(mine.with_strength(43.5).embed(HOST, MESSAGE, KEY), HOST)
    for default in (mine, mine.with_strength(43.5).with_strength(None)):
        with pytest.raises(MethodError, match="exit code 1"):
            default.embed(HOST, MESSAGE, KEY)


def test_a_changed_program_is_another_version(described):
    first, second = method(described()).version, method(described(script("exit 0"))).version
    assert first != second
    assert method(described()).version == first
    assert method(described(note="other words")).version not in {first, second}  # so is a changed description
    assert method(described(version="2.1")).version.startswith("2.1 (")
    assert method(described(version="2.1")).version != method(described(version="2.1", detect=["x"])).version


def test_one_strength_only_unless_described(described):
    mine = method(described())
    assert mine.with_strength(None) == mine
    with pytest.raises(MethodError, match="one strength only"):
        mine.with_strength(42.0)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("echo first >&2; echo the last line >&2; exit 3", "exit code 3: the last line"),
        ("exit 4", "exit code 4: it said nothing"),
        ("exit 0", "no marked picture came"),
        ('echo no picture > "$3"', "no marked picture came"),
    ],
)
def test_a_failed_embedding_says_why(described, body, reason):
    with pytest.raises(MethodError, match=reason):
        method(described(script(body))).embed(HOST, MESSAGE, KEY)


def test_a_marked_picture_of_another_size_is_refused(described, tmp_path):
    Image.new("RGB", (41, 24)).save(tmp_path / "other.png")
    with pytest.raises(MethodError, match="41 x 24, but the host is 40 x 24"):
        method(described(script(f'cp {tmp_path / "other.png"} "$3"'))).embed(HOST, MESSAGE, KEY)


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "marked",
        "[]",
        '{"present": true}',
        '{"present": 1, "score": 1, "bits": null, "p": null}',
        '{"present": true, "score": 1, "bits": "b2", "p": null}',
        '{"present": true, "score": 1, "bits": "xyz0", "p": null}',
        '{"present": true, "score": 1, "bits": 12, "p": null}',
        '{"present": true, "score": null, "bits": null, "p": null}',
        '{"present": true, "score": NaN, "bits": null, "p": null}',
        '{"present": true, "score": 1, "bits": null, "p": 1.5}',
    ],
)
def test_an_unclear_answer_is_an_error(described, printed):
    with pytest.raises(MethodError, match="detect"):
        method(described(script(f"echo '{printed}'"))).detect(HOST, KEY)


def test_a_program_that_hangs_is_ended_with_what_it_started(described, tmp_path):
    alive = tmp_path / "alive"
    mine = method(described(script(f"(sleep 1; touch {alive}) & sleep 60"), limit_s=0.3))
    started = time.monotonic()
    with pytest.raises(MethodError, match=r"more than 0\.3 s"):
        mine.detect(HOST, KEY)
    assert time.monotonic() - started < 30
    time.sleep(1.2)
    assert not alive.exists()


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"message_bits": 0}, "'message_bits' must be of type int"),
        ({"message_bits": True}, "'message_bits' must be of type int"),
        ({"embed": "program"}, "'embed' must be of type tuple"),
        ({"keyed": "yes"}, "'keyed' must be of type bool"),
        ({"limit_s": -1}, "'limit_s' must be of type float"),
        ({"colour": "red"}, "'colour' is not known; known are name, program"),
        ({"chosen": 40}, "'chosen' is not known"),
    ],
)
def test_a_wrong_description_is_named(described, values, reason):
    with pytest.raises(UsageError, match=reason):
        method(described(**values))


def test_a_program_that_is_not_there_is_missing(described):
    with pytest.raises(MethodMissing, match="'absent' is no program"):
        method(described(program="absent"))


def test_a_missing_or_broken_description_is_named(tmp_path):
    with pytest.raises(UsageError, match="cannot read the description"):
        method(f"command:{tmp_path / 'none.toml'}")
    (tmp_path / "bad.toml").write_text("name = ")
    with pytest.raises(UsageError, match="cannot read the description"):
        method(f"command:{tmp_path / 'bad.toml'}")
    (tmp_path / "bad.toml").write_text('name = "mine"\nprogram = "cat"\n')
    with pytest.raises(UsageError, match="'message_bits' is missing"):
        method(f"command:{tmp_path / 'bad.toml'}")


def test_an_unknown_placeholder_is_named(described):
    mine = method(described(detect=["{program}", "{image}"]))
    with pytest.raises(MethodError, match="'image' is none of program, in, key"):
        mine.detect(HOST, KEY)


def test_a_folder_is_asked_for_and_then_found(described, tmp_path):
    theirs = method(described(kind="folder", originals="originals", marked="marked"))
    with pytest.raises(MethodMissing, match="run again"):
        theirs.embed(HOST, MESSAGE, KEY)
    wanted = list((tmp_path / "originals").glob("*.png"))
    assert len(wanted) == 1
    assert np.array_equal(np.array(Image.open(wanted[0])), HOST)
    words = json.loads(wanted[0].with_suffix(".json").read_text())
    assert words == {"message": "b2e0", "key": KEY.hex()}

    embedder = method(described())  # the party, at its own place
    (tmp_path / "marked").mkdir()
    marked = embedder.embed(HOST, MESSAGE, bytes.fromhex(words["key"]))
    Image.fromarray(marked).save(tmp_path / "marked" / f"{wanted[0].stem}.webp", lossless=True)

    theirs = method(described(kind="folder", originals="originals", marked="marked"))
    assert np.array_equal(theirs.embed(HOST, MESSAGE, KEY), marked)
    assert np.array_equal(theirs.detect(marked, KEY).bits, MESSAGE)
    with pytest.raises(MethodMissing):
        theirs.embed(HOST, 1 - MESSAGE, KEY)  # another message is another picture
    with pytest.raises(MethodError, match="one strength only"):
        theirs.with_strength(42.0)


def test_two_pictures_of_one_stem_are_refused(described, tmp_path):
    theirs = method(described(kind="folder", originals="originals", marked="."))
    with pytest.raises(MethodMissing):
        theirs.embed(HOST, MESSAGE, KEY)
    stem = next((tmp_path / "originals").glob("*.png")).stem
    for ending in ("png", "bmp"):
        Image.fromarray(HOST).save(tmp_path / f"{stem}.{ending}")
    with pytest.raises(MethodError, match=f"{stem}.bmp and {stem}.png are both"):
        theirs.embed(HOST, MESSAGE, KEY)


def test_a_folder_must_name_its_folders(described):
    with pytest.raises(UsageError, match="'originals' is missing"):
        method(described(kind="folder", marked="marked"))
