"""The management controller's power: recorded words of both tools, and a fake tool that is really run."""

import os
import time

import psutil
import pytest

from sootprint.core.errors import MeterError
from sootprint.core.protocols import Machine
from sootprint.meters import ipmi, ipmi_meter

IPMITOOL = """
    Instantaneous power reading:                   220 Watts
    Minimum during sampling period:                100 Watts
    Maximum during sampling period:                354 Watts
    Average power reading over sample period:      218 Watts
    IPMI timestamp:                           Thu Jan  1 00:00:00 1970
    Sampling period:                          00000005 Seconds.
    Power reading state is:                   activated

"""
FREEIPMI = """Current Power                        : 164 Watts
Minimum Power over sampling duration : 8 watts
Maximum Power over sampling duration : 269 watts
Average Power over sampling duration : 163 watts
Time Stamp                           : 05/22/2018 - 03:48:18
Statistics reporting time period     : 1000 milliseconds
Power Measurement                    : Active
"""


class Server:
    """A machine with a management controller and a fake tool."""

    def __init__(self, tree):
        self.tree, self.bin = tree, tree.sys.parent / "bin"
        (tree.sys / "class/ipmi/ipmi0").mkdir(parents=True)
        tree.write(tree.sys.parent / "dev/ipmi0", "")

    def tool(self, script, name="ipmitool"):
        """Put a shell script on the PATH."""
        self.tree.write(self.bin / name, f"#!/bin/sh\n{script}\n")
        (self.bin / name).chmod(0o755)

    @property
    def machine(self):
        """Machine whose PATH has the fake tool first."""
        return Machine(sysfs=str(self.tree.sys), environ={"PATH": f"{self.bin}:/usr/bin:/bin"})


@pytest.fixture
def bmc(tree):
    """A server with a management controller."""
    return Server(tree)


@pytest.mark.parametrize(("words", "power_w"), [(IPMITOOL, 220.0), (FREEIPMI, 164.0)])
def test_words_of_both_tools(words, power_w):
    """The power now, not the average since some time."""
    assert ipmi_meter.power_w(words) == power_w


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (IPMITOOL.replace(" activated", " deactivated"), "does not measure power"),
        (FREEIPMI.replace("Active", "Not Available"), "does not measure power"),
        (IPMITOOL.replace("220 Watts", "0 Watts"), "0 W, which no running node draws"),
        ("DCMI request failed because: Invalid command (c1)", "holds no power"),
        ("", "holds no power"),
    ],
)
def test_words_that_are_no_power(words, reason):
    """Not 0, and not the last value."""
    with pytest.raises(MeterError, match=reason):
        ipmi_meter.power_w(words)


def test_tool_is_run_in_the_background(bmc, tmp_path):
    """Asked with its documented arguments, without a terminal to ask for a password."""
    said = tmp_path / "said"
    bmc.tool(f'echo "$@ $(cat | wc -c)" > {said}\ncat <<END\n{IPMITOOL}END')
    meter = ipmi.discover(bmc.machine)
    meter.wait(60.0)
    (reading,) = meter.read()
    meter.close()
    assert said.read_text().split() == ["dcmi", "power", "reading", "0"]
    assert (reading.meter, reading.component, reading.basis) == ("ipmi", "wall", "metered")
    assert meter.poll_s >= 1.0


def test_freeipmi_stands_in(bmc):
    """Where ipmitool is not installed."""
    bmc.tool(f"[ $1 = --get-system-power-statistics ] && cat <<END\n{FREEIPMI}END", name="ipmi-dcmi")
    meter = ipmi.discover(bmc.machine)
    assert meter._look().power_w == 164.0


def test_failure_of_the_tool_is_the_reason(bmc):
    """Its last line."""
    bmc.tool("echo 'Could not open device at /dev/ipmi0: No such file' >&2; exit 1")
    meter = ipmi.discover(bmc.machine)
    meter.wait(60.0)
    with pytest.raises(MeterError, match=r"^ipmi: Could not open device"):
        meter.read()
    meter.close()


def test_hanging_tool_is_given_up(bmc, monkeypatch):
    """A controller that does not answer is a reason after the limit, and no process stays."""
    monkeypatch.setattr(ipmi_meter, "LIMIT_S", 0.2)
    bmc.tool("sleep 300")
    meter = ipmi.discover(bmc.machine)
    meter.wait(60.0)
    with pytest.raises(MeterError, match="no answer of the management controller"):
        meter.read()
    meter.close()
    assert soon(lambda: not tools(bmc))


def test_tool_ends_with_the_run(bmc):
    """`close` kills what is running and does not wait for it."""
    bmc.tool("sleep 300")
    meter = ipmi.discover(bmc.machine)
    assert meter.read() == ()
    assert soon(lambda: tools(bmc))
    began_s = time.monotonic()
    meter.close()
    assert time.monotonic() - began_s < 150.0
    assert soon(lambda: not tools(bmc))


def tools(bmc):
    """Programs of the server's folder that this process has started and that still run."""
    mine = psutil.Process().children(recursive=True)
    return [one for one in mine if str(bmc.bin) in " ".join(words_of(one))]


def words_of(process):
    """Command of a process, or nothing where it has just ended."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def soon(holds):
    """Whether something holds before long, however busy the machine is."""
    until_s = time.monotonic() + 30.0
    while not holds() and time.monotonic() < until_s:
        time.sleep(0.01)
    return bool(holds())


def test_controller_without_a_tool(bmc):
    """The fix installs one."""
    machine = Machine(sysfs=str(bmc.tree.sys), environ={"PATH": str(bmc.bin)})
    with pytest.raises(MeterError, match="neither ipmitool nor") as caught:
        ipmi.discover(machine)
    assert "apt install ipmitool" in caught.value.fix


def test_controller_of_root_alone(bmc, monkeypatch):
    """The fix gives a group the right, and nothing here ever runs sudo."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(MeterError, match="only root") as caught:
        ipmi.discover(bmc.machine)
    assert "99-sootprint-ipmi.rules" in caught.value.fix


def test_no_controller(tree):
    """One line, and how the kernel would show one."""
    with pytest.raises(MeterError, match="no management controller"):
        ipmi.discover(tree.machine())
