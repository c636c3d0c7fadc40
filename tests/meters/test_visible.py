"""CUDA_VISIBLE_DEVICES as CUDA reads it."""

import pytest

from sootprint.meters.visible import Visible, visible

UUIDS = (
    "GPU-aaaa1111-0000-0000-0000-000000000000",
    "GPU-aaaa2222-0000-0000-0000-000000000000",
    "GPU-bbbb3333-0000-0000-0000-000000000000",
)
SLICES = {"MIG-1111": (0,), "MIG-2222": (0,), "MIG-3333": (2,)}


def seen(value):
    """What a list lets a job use on three cards, the first and the last divided into slices."""
    return visible(value, 3, uuids=lambda: UUIDS, slice_parent=lambda name: SLICES.get(name, ()))


@pytest.mark.parametrize(
    ("value", "devices"),
    [
        (None, (0, 1, 2)),
        ("", ()),
        ("-1", ()),
        ("NoDevFiles", ()),
        ("0", (0,)),
        ("2,0", (0, 2)),
        (" 1 , 2 ", (1, 2)),
        ("0,-1,2", (0,)),
        ("0,3,1", (0,)),
        ("3", ()),
        ("0,x,1", (0,)),
        ("0,,1", (0,)),
        ("1,1", ()),
        ("1gpu,2", (1, 2)),
        ("+1", (1,)),
        ("99999999999999999999", ()),
        ("٢", ()),
        (UUIDS[1], (1,)),
        ("GPU-bbbb", (2,)),
        ("GPU-bbbb,GPU-aaaa1", (0, 2)),
        ("GPU-aaaa", ()),  # the start of two identities names neither
        ("GPU-cccc,GPU-bbbb", ()),
        ("GPU-bbbb,GPU-cccc,GPU-aaaa1", (2,)),
        ("GPU-bbbb,0", (2,)),  # the first entry's kind holds for all
        ("0,GPU-bbbb", (0,)),
        ("GPU-bbbb,GPU-bbbb3", ()),
        ("GPU-", ()),
    ],
)
def test_list_of_whole_cards(value, devices):
    """The first entry that names no card ends the list; one that occurs twice empties it."""
    assert seen(value) == Visible(devices=devices, sliced=())


@pytest.mark.parametrize(
    ("value", "devices"),
    [
        ("MIG-GPU-bbbb3333-0000-0000-0000-000000000000/1/0", (2,)),
        ("MIG-GPU-dddd3333-0000-0000-0000-000000000000/1/0", ()),
        ("MIG-1111", (0,)),
        ("MIG-1111,MIG-2222", (0,)),
        ("MIG-1111,MIG-3333", (0, 2)),
        ("MIG-9999,MIG-1111", ()),
        ("MIG-1111,0", (0,)),
    ],
)
def test_slices_stand_for_their_whole_card(value, devices):
    """Both spellings of a slice lead to the card it lies on, marked as seen in part."""
    assert seen(value) == Visible(devices=devices, sliced=devices)


def test_identities_are_asked_only_where_needed():
    """A list of numbers costs no call of the driver."""

    def not_asked():
        raise AssertionError("asked")

    assert visible("1", 3, uuids=not_asked, slice_parent=not_asked).devices == (1,)
