"""Memory bandwidth of accelerators, as their makers state it: with the peak rate it tells how starved a chip is."""

from __future__ import annotations

from sootprint.catalogue.hardware import Accelerator

# [GB/s], data sheets of the makers; for TPUs Jouppi et al. (2020, 2021, 2023) and the provider's documents.
_GB_PER_S = {
    "NVIDIA Tesla K40": 288, "NVIDIA Tesla K80": 480, "NVIDIA Tesla M40": 288, "NVIDIA Tesla M60": 320,
    "NVIDIA Tesla P4": 192, "NVIDIA Tesla P40": 346,
    "NVIDIA Tesla P100 PCIe 16GB": 732, "NVIDIA Tesla P100 SXM2": 732,
    "NVIDIA Tesla V100 PCIe 16GB": 900, "NVIDIA Tesla V100 PCIe 32GB": 900,
    "NVIDIA Tesla V100 SXM2 16GB": 900, "NVIDIA Tesla V100 SXM2 32GB": 900, "NVIDIA Tesla V100S PCIe 32GB": 1134,
    "NVIDIA T4": 320, "NVIDIA Quadro RTX 6000": 672, "NVIDIA Quadro RTX 8000": 672,
    "NVIDIA A2": 200, "NVIDIA A10": 600, "NVIDIA A10G": 600, "NVIDIA A30": 933, "NVIDIA A40": 696,
    "NVIDIA A100 PCIe 40GB": 1555, "NVIDIA A100 PCIe 80GB": 1935,
    "NVIDIA A100 SXM4 40GB": 1555, "NVIDIA A100 SXM4 80GB": 2039,
    "NVIDIA L4": 300, "NVIDIA L40": 864, "NVIDIA L40S": 864,
    "NVIDIA H20": 4000, "NVIDIA H100 PCIe 80GB": 2000, "NVIDIA H100 NVL 94GB": 3900, "NVIDIA H100 SXM5 80GB": 3350,
    "NVIDIA H200 NVL 141GB": 4800, "NVIDIA H200 SXM 141GB": 4800, "NVIDIA GH200 96GB (GPU part)": 4000,
    "NVIDIA B200 SXM 180GB": 7700, "NVIDIA GB200 (per GPU)": 8000, "NVIDIA B300 SXM": 8000,
    "NVIDIA GTX Titan X (Maxwell)": 336, "NVIDIA Titan X (Pascal)": 480, "NVIDIA Titan Xp": 548,
    "NVIDIA Titan V": 653, "NVIDIA Titan RTX": 672,
    "NVIDIA GeForce GTX 980 Ti": 336, "NVIDIA GeForce GTX 1080": 320, "NVIDIA GeForce GTX 1080 Ti": 484,
    "NVIDIA GeForce RTX 2070": 448, "NVIDIA GeForce RTX 2080": 448, "NVIDIA GeForce RTX 2080 Ti": 616,
    "NVIDIA GeForce RTX 3060": 360, "NVIDIA GeForce RTX 3070": 448, "NVIDIA GeForce RTX 3080 10GB": 760,
    "NVIDIA GeForce RTX 3090": 936, "NVIDIA GeForce RTX 3090 Ti": 1008, "NVIDIA GeForce RTX 4070": 504,
    "NVIDIA GeForce RTX 4080": 717, "NVIDIA GeForce RTX 4090": 1008,
    "NVIDIA GeForce RTX 5080": 960, "NVIDIA GeForce RTX 5090": 1792,
    "NVIDIA RTX A4000": 448, "NVIDIA RTX A5000": 768, "NVIDIA RTX A6000": 768, "NVIDIA RTX 6000 Ada": 960,
    "NVIDIA RTX PRO 6000 Blackwell WS": 1792,
    "AMD Instinct MI25": 484, "AMD Instinct MI50": 1024, "AMD Instinct MI60": 1024, "AMD Instinct MI100": 1229,
    "AMD Instinct MI210": 1638, "AMD Instinct MI250": 3277, "AMD Instinct MI250X": 3277,
    "AMD Instinct MI300A": 5300, "AMD Instinct MI300X": 5300, "AMD Instinct MI325X": 6000,
    "AMD Instinct MI350X": 8000, "AMD Instinct MI355X": 8000, "AMD Radeon RX 7900 XTX": 960,
    "Google TPU v2": 600, "Google TPU v3": 900, "Google TPU v4": 1200, "Google TPU v4i": 614,
    "Google TPU v5e": 819, "Google TPU v5p": 2765, "Google TPU v6e (Trillium)": 1640,
    "Google TPU v7 (Ironwood)": 7400,
    "AWS Trainium1": 820, "AWS Trainium2": 2900, "AWS Inferentia2": 820, "Huawei Ascend 910": 1200,
    "Intel Data Center GPU Max 1100": 1229, "Intel Data Center GPU Max 1550": 3277,
    "Intel Gaudi2 HL-225H": 2450, "Intel Gaudi3 HL-325L": 3700,
}  # fmt: skip


def bandwidth_gb_per_s(device: Accelerator) -> float | None:
    """Memory bandwidth of an accelerator of the catalogue [GB/s]; None where it is not in the table."""
    known = _GB_PER_S.get(device.name)
    return None if known is None else float(known)
