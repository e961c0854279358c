"""`./dev test`: everything that the tests need, then the tests."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from devtools.environment import ROOT
from devtools.log_lines import step

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PACKAGES = ("chromium", "fonts-wqy-microhei", "nginx-light")
INSTALL_HINT = (
    f"install a browser, a Chinese font and nginx, on Debian: apt-get install {' '.join(PACKAGES)}"
)
# One a core of the smallest machine that the tests are measured on.
WORKERS = "2"


def has_browser() -> bool:
    """Whether a browser starts. Having its name is not enough: Ubuntu ships one that only
    tells how to install the real one."""
    for name in BROWSERS:
        path = shutil.which(name)
        if path is not None:
            done = subprocess.run([path, "--version"], capture_output=True, check=False)
            if done.returncode == 0:
                return True
    return False


def has_chinese_font() -> bool:
    """Without one a page shows boxes, and every screenshot is worthless."""
    if shutil.which("fc-list") is None:
        return False
    found = subprocess.run(
        ["fc-list", ":lang=zh-cn", "family"], capture_output=True, text=True, check=False
    )
    return bool(found.stdout.strip())


def apt_get() -> tuple[str, ...] | None:
    """How to call apt-get so that it may install; None where it may not."""
    if not Path("/etc/debian_version").exists() or shutil.which("apt-get") is None:
        return None
    settings = ("DEBIAN_FRONTEND=noninteractive",)
    options = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Use-Pty=0")
    if os.geteuid() == 0:
        return ("env", *settings, *options)
    if shutil.which("sudo") is not None:
        allowed = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
        if allowed.returncode == 0:
            return ("sudo", "-n", *settings, *options)
    return None


def install_browser(apt: tuple[str, ...]) -> None:
    """Install browser and font; says so where it fails, and leaves the rest to the caller."""
    step(f"installing {' and '.join(PACKAGES)} for the tests")
    for arguments in (("update",), ("install", "-y", "--no-install-recommends", *PACKAGES)):
        # Standard output is the tests' alone.
        done = subprocess.run(
            [*apt, *arguments], stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno(), check=False
        )
        if done.returncode != 0:
            step(f"apt-get {arguments[0]} failed, as said above")


def browser_is_there() -> bool:
    """True when the browser tests can run, having installed what they need where allowed."""
    if has_browser() and has_chinese_font():
        return True
    apt = apt_get()
    if apt is not None:
        install_browser(apt)
        if has_browser() and has_chinese_font():
            return True
    step(f"the browser tests are left out: {INSTALL_HINT}")
    return False


def pytest_arguments(arguments: Sequence[str], *, with_browser: bool) -> list[str]:
    """Two workers that take work from each other, unless the caller says otherwise."""
    chosen = ["-n", WORKERS, "--dist", "worksteal"]
    if not with_browser:
        chosen.append("--without-browser")
    # What comes last wins: the caller's own -n, say.
    return [*chosen, *arguments]


def main(arguments: Sequence[str]) -> None:
    """Become pytest. Does not return."""
    command = pytest_arguments(arguments, with_browser=browser_is_there())
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *command])


if __name__ == "__main__":
    main(sys.argv[1:])
