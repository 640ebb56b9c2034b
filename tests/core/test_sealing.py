"""Sealing: unreadable without the ring, equal only through digests, gone with its key."""

from __future__ import annotations

import json

import pytest
from django.conf import LazySettings

from eduaid.core import sealing
from eduaid.core.models import DataKey
from eduaid.core.sealing import Opener, Sealer, Unreadable, destroy, digest, new_data_key, new_keyring, with_new_primary


@pytest.fixture(params=["aes", "sm"])
def ring(request: pytest.FixtureRequest, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("EDUAID_CRYPTO", request.param)
    settings.KEYRING = new_keyring()
    sealing.ring.cache_clear()
    yield settings.KEYRING
    sealing.ring.cache_clear()


def test_what_was_sealed_opens_again_and_never_looks_the_same(committed: None, ring: str) -> None:
    key = new_data_key("list")
    sealer = Sealer(key)
    first, second = (
        sealer.seal(b"990121201209012341", b"row"),
        sealer.seal(b"990121201209012341", b"row"),
    )
    assert first != second
    assert b"990121" not in first
    assert Opener().open(first, b"row") == b"990121201209012341"


def test_a_sealed_value_opens_only_for_what_it_is(committed: None, ring: str) -> None:
    sealed = Sealer(new_data_key("list")).seal(b"secret", b"row")
    with pytest.raises(Unreadable, match="改动"):
        Opener().open(sealed, b"file")
    with pytest.raises(Unreadable, match="改动"):
        Opener().open(sealed[:-1] + bytes([sealed[-1] ^ 1]), b"row")


def test_a_destroyed_key_makes_every_copy_unreadable(committed: None, ring: str) -> None:
    key = new_data_key("list")
    sealed = Sealer(key).seal(b"secret", b"row")
    destroy(key)
    with pytest.raises(Unreadable, match="销毁"):
        Opener().open(sealed, b"row")


def test_rotation_wraps_anew_and_leaves_sealed_values_alone(committed: None, ring: str, settings: LazySettings) -> None:
    key = new_data_key("list")
    sealed = Sealer(key).seal(b"secret", b"row")
    settings.KEYRING = with_new_primary(ring)
    sealing.ring.cache_clear()
    assert sealing.rewrap_all() == 1
    assert DataKey.objects.get().wrapping_key == "k2"
    assert Opener().open(sealed, b"row") == b"secret"
    without_old = json.loads(settings.KEYRING)
    del without_old["keys"]["k1"]
    settings.KEYRING = json.dumps(without_old)
    sealing.ring.cache_clear()
    assert Opener().open(sealed, b"row") == b"secret"


def test_digests_are_equal_for_equal_values_of_one_kind_and_differ_between_rings(
    ring: str, settings: LazySettings
) -> None:
    one = digest("id", "990121201209012341")
    assert one == digest("id", "990121201209012341")
    assert one != digest("registry", "990121201209012341")
    assert len(one) == 16
    settings.KEYRING = new_keyring()
    sealing.ring.cache_clear()
    assert one != digest("id", "990121201209012341")
