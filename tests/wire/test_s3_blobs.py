"""Pictures in a bucket, against a server that refuses, stalls, is away or knows no bucket."""

import asyncio
import socket
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

pytest.importorskip("obstore", reason="the extra “s3” is not installed")

from bot.cli import checking
from bot.cli.sessions import Session
from bot.domain.errors import AwayError
from bot.foundations import opened
from bot.settings import Settings
from bot.settings_loading import SettingsError, load
from bot.storage.blobs import FolderBlobs
from bot.storage.bucket import Bucket, BucketAwayError, BucketError
from bot.storage.database_blobs import DatabaseBlobs
from bot.storage.opening import blobs_in
from bot.storage.s3_blobs import S3Blobs
from tests.engines import url_of
from tests.standins.s3 import KEYS, StandInS3

DAY_S = 86_400.0


@pytest.fixture
async def s3() -> AsyncIterator[StandInS3]:
    async with StandInS3(time.time) as server:
        yield server


@pytest.fixture
def blobs(s3: StandInS3) -> S3Blobs:
    return store(s3.address)


def store(address: str, keys: tuple[str, str] = KEYS, timeout_s: float = 2.0) -> S3Blobs:
    return blobs_in(Bucket.parse(address), keys, time.time, timeout_s=timeout_s)


def settings(s3: StandInS3, folder: Path, **more: str) -> Settings:
    environ = {
        "EASEL_BLOBS": s3.address,
        "AWS_ACCESS_KEY_ID": KEYS[0],
        "AWS_SECRET_ACCESS_KEY": KEYS[1],
        "EASEL_DATA_DIR": str(folder),
        "EASEL_BACKENDS": "sketch",
    }
    return load(environ | more, None, needs_token=False)


async def test_pictures_are_objects_under_the_prefix_and_nothing_is_left_of_the_check(
    s3: StandInS3, blobs: S3Blobs
) -> None:
    await blobs.check()
    assert s3.objects == {}
    blob = await blobs.put(b"picture")
    assert [(key, data) for key, (data, _) in s3.objects.items()] == [(f"easel/{blob}", b"picture")]
    whole = store(s3.address.replace("/easel", ""))
    assert await whole.put(b"other") in s3.objects


async def test_a_bucket_that_is_missing_is_told_to_the_host(s3: StandInS3, blobs: S3Blobs) -> None:
    s3.bucket = "another"
    with pytest.raises(
        BucketError, match=r"s3://pictures/easel at http.* is not there \(NoSuchBucket\). Make the"
    ):
        await blobs.check()


@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
async def test_a_right_that_the_key_lacks_is_told_to_the_host(s3: StandInS3, blobs: S3Blobs, method: str) -> None:
    s3.denied = frozenset({method})
    with pytest.raises(BucketError, match=r"refuses the key \(AccessDenied\).*s3:ListBucket.*s3:DeleteObject"):
        await blobs.check()


async def test_a_right_to_list_that_the_key_lacks_is_told_to_the_host(s3: StandInS3, blobs: S3Blobs) -> None:
    s3.unlisted = True
    with pytest.raises(BucketError, match=r"refuses the key \(AccessDenied\).*s3:ListBucket"):
        await blobs.check()


async def test_a_key_that_nobody_knows_is_told_to_the_host_without_its_secret(s3: StandInS3) -> None:
    with pytest.raises(BucketError, match=r"refuses the key \(InvalidAccessKeyId\). Look at AWS_ACCESS") as told:
        await store(s3.address, ("AKIASOMEBODY", "hidden")).check()
    assert "hidden" not in str(told.value)
    assert not isinstance(told.value, BucketAwayError)


async def test_a_server_that_is_away_or_stalls_is_told_to_the_host(s3: StandInS3) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(BucketAwayError, match="cannot be reached"):
        await store(f"s3://pictures?endpoint=http://127.0.0.1:{port}").check()
    s3.stalls = True
    with pytest.raises(BucketAwayError, match=r"cannot be reached \(no answer in time\)"):
        await store(s3.address, timeout_s=0.2).check()


@pytest.mark.parametrize("ails", [(503, "SlowDown"), (403, "AccessDenied"), (404, "NoSuchBucket"), (404, "")])
async def test_while_nothing_is_taken_nothing_counts_as_gone(
    s3: StandInS3, blobs: S3Blobs, ails: tuple[int, str]
) -> None:
    blob = await blobs.put(b"picture")
    s3.ails = ails
    with capture_logs() as logs:
        for call in (store(s3.address).get(blob), blobs.put(b"more"), blobs.sweep(0.0), blobs.remove([blob])):
            with pytest.raises(AwayError, match="cannot reach its pictures"):
                await call
    assert {entry["reason"] for entry in logs} == {ails[1]} or not ails[1]
    s3.ails = None
    assert await store(s3.address).get(blob) == b"picture"


async def test_calls_that_stall_end_in_time(s3: StandInS3) -> None:
    blob = await store(s3.address).put(b"picture")
    s3.stalls = True
    blobs = store(s3.address, timeout_s=0.2)
    for call in (blobs.get(blob), blobs.put(b"more"), blobs.sweep(0.0)):
        with pytest.raises(AwayError):
            await call


async def test_a_hiccup_of_the_server_is_not_noticed(s3: StandInS3, blobs: S3Blobs) -> None:
    s3.ails = (500, "InternalError")
    putting = asyncio.create_task(blobs.put(b"picture"))
    await s3.arrived.wait()
    s3.ails = None
    await putting
    assert len(s3.calls) > 1


async def test_a_put_whose_caller_is_cancelled_stores_nothing_half(s3: StandInS3, blobs: S3Blobs) -> None:
    s3.stalls = True
    putting = asyncio.create_task(blobs.put(b"picture"))
    await s3.arrived.wait()
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    s3.stalls = False
    assert s3.objects == {}


async def test_a_sweep_goes_through_all_pages_and_leaves_what_is_not_ours(s3: StandInS3, blobs: S3Blobs) -> None:
    s3.page = 3
    names = [await blobs.put(b"%d" % number) for number in range(10)]
    data = (b"mine", 0.0)
    others = {"easel/notes.txt": data, f"easel/more/{names[0]}": data, f"elsewhere/{names[0]}": data}
    s3.objects |= others
    assert await blobs.sweep(-1.0, keep=names[:2]) == 8
    assert s3.objects.keys() == {*others, *(f"easel/{name}" for name in names[:2])}


async def test_a_sweep_looks_once_an_hour_and_again_at_once_where_it_failed(s3: StandInS3) -> None:
    now = [time.time()]
    blobs = blobs_in(Bucket.parse(s3.address), KEYS, lambda: now[0], timeout_s=2.0)
    await blobs.put(b"picture")
    now[0] += 8 * DAY_S
    s3.ails = (403, "AccessDenied")
    with pytest.raises(AwayError):
        await blobs.sweep(7 * DAY_S)
    s3.ails = None
    assert await blobs.sweep(7 * DAY_S) == 1
    s3.calls.clear()
    assert await blobs.sweep(7 * DAY_S) == 0
    assert s3.calls == []
    now[0] += 3600
    await blobs.sweep(7 * DAY_S)
    assert s3.calls == ["GET /pictures"]


async def test_what_is_removed_twice_does_no_harm_at_a_server_that_minds(s3: StandInS3, blobs: S3Blobs) -> None:
    s3.strict = True
    names = [await blobs.put(b"%d" % number) for number in range(20)]
    await blobs.remove(names[:10])
    await blobs.remove(names)
    assert s3.objects == {}


async def test_the_settings_choose_the_bucket_and_their_keys_reach_no_log(s3: StandInS3, tmp_path: Path) -> None:
    chosen = settings(s3, tmp_path)
    assert set(KEYS) <= set(chosen.secrets)
    assert not any(key in repr(chosen) for key in KEYS)
    async with opened(chosen) as base:
        blob = await base.blobs.put(b"picture")
    assert f"easel/{blob}" in s3.objects


async def test_a_bucket_that_cannot_be_used_ends_the_start(s3: StandInS3, tmp_path: Path) -> None:
    s3.bucket = "another"
    with pytest.raises(BucketError, match="NoSuchBucket"):
        async with opened(settings(s3, tmp_path)):
            pass


async def test_a_terminal_that_paints_keeps_out_of_the_bots_bucket(s3: StandInS3, tmp_path: Path) -> None:
    async with Session(settings(s3, tmp_path), [], tmp_path)._opened() as base:
        assert isinstance(base.blobs, FolderBlobs)
    assert s3.calls == []


async def test_without_a_bucket_pictures_are_in_the_database_that_is_shared(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    given = {"EASEL_DATA_DIR": str(tmp_path), "EASEL_BACKENDS": "sketch"}
    async with opened(load(given, None, needs_token=False)) as base:
        assert isinstance(base.blobs, FolderBlobs)
    shared = given | {"DATABASE_URL": url_of("postgresql", tmp_path, request)}
    async with opened(load(shared, None, needs_token=False)) as base:
        assert isinstance(base.blobs, DatabaseBlobs)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("https://bucket", "it must be the address of a bucket, such as s3://bucket/prefix?endpoint="),
        ("s3://", "a bucket's name has 3 to 63"),
        ("s3://Bucket", "a bucket's name has 3 to 63"),
        ("s3://key:hidden@bucket", "it cannot hold keys: set AWS_ACCESS_KEY_ID"),
        ("s3://bucket?endpoint=s3.example.org", "its endpoint must be an address without keys"),
        ("s3://bucket?endpoint=https://key:hidden@s3.example.org", "its endpoint must be an address without keys"),
        ("s3://bucket?regin=x", "it has no option regin; there are endpoint and region"),
    ],
)
def test_an_address_that_is_none_is_refused_without_secrets(given: str, told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load({"EASEL_BLOBS": given}, None, needs_token=False)
    [line] = refused.value.problems
    assert line.startswith(f"EASEL_BLOBS: {told}")
    assert "hidden" not in line


def test_addresses_of_buckets_are_read() -> None:
    whole = "s3://pictures/a/b/?endpoint=https://minio.example:9000/&region=eu"
    assert Bucket.parse(whole) == Bucket("pictures", "a/b", "https://minio.example:9000", "eu")
    assert Bucket.parse("s3://my.pictures") == Bucket("my.pictures")
    assert str(Bucket.parse(whole)) == "s3://pictures/a/b"


def test_half_a_key_is_refused() -> None:
    with pytest.raises(SettingsError, match="belong together"):
        load({"EASEL_BLOBS": "s3://pictures", "AWS_ACCESS_KEY_ID": "half"}, None, needs_token=False)
    load({"AWS_ACCESS_KEY_ID": "of something else"}, None, needs_token=False)


async def test_check_tells_what_is_wrong_with_the_bucket_and_the_cure(
    s3: StandInS3, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "_CHECK_TIMEOUT_S", 0.5)
    chosen = settings(s3, tmp_path)
    assert await checking._check_blobs(chosen) == 0
    assert capsys.readouterr().out == "ok    pictures in s3://pictures/easel\n"
    s3.ails = (403, "SignatureDoesNotMatch")
    assert await checking._check_blobs(chosen) == 78
    assert capsys.readouterr().out.startswith("wrong EASEL_BLOBS: s3://pictures/easel at http")
    s3.stalls = True
    assert await checking._check_blobs(chosen) == 69
    assert "no answer in time" in capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "bot.storage.s3_blobs", None)
    assert await checking._check_blobs(chosen) == 78
    assert "needs the extra “s3”: pip install" in capsys.readouterr().out
