from pathlib import Path

import pytest

from bot.backends.address import AddressError, BackendAddress, parse


def test_a_plain_address_is_taken() -> None:
    assert parse("webui=http://127.0.0.1:7860/") == (BackendAddress("webui", "webui-1", "http://127.0.0.1:7860"),)


def test_several_backends_are_numbered_as_they_stand() -> None:
    found = parse(" sketch=0.2 , webui=https://[::1]:7860/base/, WebUI=http://gpu2")
    assert [(a.kind, a.name, a.url) for a in found] == [
        ("sketch", "sketch", ""),
        ("webui", "webui-2", "https://[::1]:7860/base"),
        ("webui", "webui-3", "http://gpu2"),
    ]
    assert found[0].step_s == 0.2


def test_options_follow_the_address() -> None:
    gpu, local = parse(
        "webui=http://gpu1:7860  name=Gpu-1 slots=2, diffusers=/models/my sd name=own cache_gb=12.5"
    )
    assert (gpu.name, gpu.url, gpu.slots) == ("Gpu-1", "http://gpu1:7860", 2)
    assert (local.name, local.source, local.cache_gb) == ("own", "/models/my sd", 12.5)


def test_the_built_in_painter_takes_options_without_an_address() -> None:
    (own,) = parse("sketch name=own slots=2")
    assert (own.kind, own.name, own.slots) == ("sketch", "own", 2)


def test_a_file_without_certificates_is_no_ca(tmp_path: Path) -> None:
    file = tmp_path / "notes.pem"
    file.write_text("no certificate")
    with pytest.raises(AddressError, match="ca must be a file of certificates"):
        parse(f"webui=https://host ca={file}")


def test_nobody_paints_where_it_says_none() -> None:
    assert parse("none") == parse(" None ") == ()
    with pytest.raises(AddressError, match="must begin with a kind"):
        parse("none, sketch")


def test_a_worker_puts_its_own_name_before_those_that_nobody_chose() -> None:
    text = "webui=http://gpu1:7860, sketch, webui=http://gpu2:7860 name=big"
    assert [each.name for each in parse(text, node="box 7+")] == ["box-7-/webui-1", "box-7-/sketch", "big"]
    assert [each.name for each in parse("webui=http://gpu1:7860", node="gpu1.lan")] == ["gpu1.lan/webui"]
    assert [each.name for each in parse("webui=http://gpu1:7860")] == ["webui-1"]


def test_credentials_are_decoded_and_never_shown() -> None:
    (address,) = parse("webui=http://b%C3%B6t:p%40ss%2Cw%3Ard@host:7860")
    assert address.auth == ("böt", "p@ss,w:rd")
    assert "p@ss" not in repr(address) + address.url + address.name


def test_a_setting_of_its_own_wins_over_the_address() -> None:
    (address,) = parse("webui=http://a:b@host", {1: "bot:se:cret"})
    assert address.auth == ("bot", "se:cret")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no backend"),
        (
            "http://user:hunter2@host",
            "entry 1 must begin with a kind of backend: webui, comfyui, diff",
        ),
        ("sketch, comfy=http://user:hunter2@host", "entry 2 must begin with a kind"),
        ("webui", "entry 1 needs an address like http://127.0.0.1:7860"),
        ("webui=ftp://user:hunter2@host", "needs an address"),
        ("webui=http://user:hunter2@", "needs an address"),
        ("webui=http://user:hunter2@host:99999", "needs an address"),
        ("webui=http://user:hunter2@[::1", "needs an address"),
        ("webui=http://user:hunter2?@host", "needs an address|takes no"),
        ("webui=http://host/?token=hunter2", "takes no"),
        ("webui=http://user:hun#ter2@host:7860", "takes no “[?]” or “#”; percent-encode"),
        ("sketch=fast", "seconds per step, a number from 0 to 60"),
        ("sketch=-1", "seconds per step"),
        ("sketch=nan", "seconds per step"),
        ("diffusers", "hub's id, a folder or a .safetensors file"),
        ("webui=http://user:hunter2@host slots=17", "slots must be a number from 1 to 16"),
        ("webui=http://user:hunter2@host slots=two", "slots must be a number"),
        ("webui=http://user:hunter2@host name=a/b", "name must be letters"),
        ("webui=http://user:hunter2@host ca=/no/such/file", "ca must be a file"),
        ("webui=http://user:hunter2@host device=cpu", "webui has no option device"),
        ("webui=http://user:hunter2@host speed=2", "only options may follow it"),
        ("webui=http://a name=x, comfyui=http://b name=x", "two backends x"),
    ],
)
def test_a_wrong_entry_is_named_in_one_sentence_without_its_password(text: str, words: str) -> None:
    with pytest.raises(AddressError, match=words) as caught:
        parse(text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(("n", "value"), [(1, "hunter2"), (1, ":hunter2"), (2, "a:hunter2")])
def test_a_wrong_login_is_named_without_its_password(n: int, value: str) -> None:
    with pytest.raises(AddressError, match=f"EASEL_BACKEND_{n}_AUTH") as caught:
        parse("webui=http://host", {n: value})
    assert "hunter2" not in str(caught.value)


def test_every_backend_knows_the_number_of_its_entry() -> None:
    assert [address.number for address in parse("sketch, webui=http://a, comfyui=http://b")] == [1, 2, 3]
