"""What the machine is, from its kernel's files."""

import pytest

from sootprint.meters.host import host, vendor_of


def test_server(server):
    """Name, vendor, threads and sockets of the first processor's block; no hypervisor."""
    seen = host(server.machine())
    assert seen[:5] == ("AMD EPYC 7282 16-Core Processor", "AMD", 64, 2, False)
    assert vendor_of(server.machine()) == "AMD"


def test_guest_by_processor_flag(tree):
    """The flag `hypervisor` makes a guest."""
    tree.cpuinfo("Intel Xeon Processor (Skylake)", flags="hypervisor sse2")
    assert host(tree.machine()).virtual


@pytest.mark.parametrize(
    ("vendor", "product", "virtual"),
    [
        ("QEMU", "Standard PC", True),
        ("Google", "Google Compute Engine", True),
        ("Amazon EC2", "m6g.large", True),
        ("Amazon EC2", "m6g.metal", False),
        ("Microsoft Corporation", "Virtual Machine", True),
        ("Dell Inc.", "PowerEdge R750", False),
    ],
)
def test_guest_by_board(tree, vendor, product, virtual):
    """Where the processor has no such flag (ARM), the board's maker tells."""
    tree.write(tree.sys / "class/dmi/id/sys_vendor", vendor)
    tree.write(tree.sys / "class/dmi/id/product_name", product)
    assert host(tree.machine()).virtual is virtual


@pytest.mark.parametrize(
    ("ranges", "threads"), [("0", 1), ("0-3,8", 5), ("0-127", 128), ("0-99999999", 2), ("3-1", 2), ("a-b", 2)]
)
def test_threads_from_the_list_of_online_ones(tree, ranges, threads):
    """A malformed or absurd list gives way to the lines of /proc/stat."""
    tree.write(tree.proc / "stat", "cpu  1 2 3 4 5\ncpu0 1 2 3 4 5\ncpu1 1 2 3 4 5\nintr 1\n")
    tree.threads(ranges)
    assert host(tree.machine()).threads == threads


def test_threads_that_are_off_leave_the_sockets(server):
    """48 of 64 threads online in packages of 32 are two sockets."""
    server.threads("0-47")
    assert host(server.machine()).sockets == 2


def test_nothing_known(tree):
    """Without any file there is still a machine with threads in one socket."""
    seen = host(tree.machine())
    assert (seen.model, seen.vendor, seen.sockets, seen.virtual) == (None, None, 1, False)
    assert seen.threads >= 1
