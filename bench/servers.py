"""What the server's processes have cost so far: CPU seconds by part, as the system reports them."""

from __future__ import annotations

from collections import defaultdict

import psutil

PARTS = ("web", "worker", "beat", "postgres", "valkey", "supervisor")


def find_root(port: int) -> int | None:
    """Return the supervisor that holds the listening socket of ``port`` on this machine, if any."""
    for process in psutil.process_iter(["cmdline"]):
        if "config.supervisor" in (process.info["cmdline"] or ()) and _listens(process, port):
            return int(process.pid)
    return None


def _listens(process: psutil.Process, port: int) -> bool:
    try:
        return any(
            connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            for connection in process.net_connections("tcp")
        )
    except psutil.Error:
        return False


def cpu(root: int) -> dict[str, float]:
    """Return CPU seconds by part, including ended child processes; web processes are numbered."""
    return {label: sum(_seconds(one) for one in group) for label, group in _groups(root).items()}


def memory(root: int) -> dict[str, float]:
    """Return resident MB by part; PostgreSQL's shared buffers count in each of its processes."""
    return {
        label: round(sum(_resident(one) for one in group) / 2**20)
        for label, group in _groups(root).items()
    }


def machine() -> tuple[float, float]:
    """Return the CPU seconds that this machine has worked, and those its host gave to others
    (steal)."""
    times = psutil.cpu_times()
    steal = getattr(times, "steal", 0.0)
    idle = times.idle + getattr(times, "iowait", 0.0)
    return sum(times) - idle - steal - getattr(times, "guest", 0.0), steal


def _groups(root: int) -> dict[str, list[psutil.Process]]:
    top = psutil.Process(root)
    groups: dict[str, list[psutil.Process]] = defaultdict(list)
    webs = 0
    for process in [top, *sorted(top.children(recursive=True), key=lambda child: child.pid)]:
        part = _part(process)
        if part == "web":
            webs += 1
            part = f"web {webs}"
        groups[part].append(process)
    return groups


def _part(process: psutil.Process) -> str:
    try:
        name, words = process.name(), " ".join(process.cmdline())
    except psutil.Error:
        return "supervisor"
    if name.startswith("causerie-web"):
        return "web"
    if "celery" in words:
        return "beat" if " beat" in words else "worker"
    for part in ("postgres", "valkey"):
        if part in words.split(" ")[0]:
            return part
    return "supervisor"


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
