"""The files in deploy/ are what they say, to the programs that they are for."""

import base64
import http.client
import os
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.config import Settings, load_settings
from app.health import collect
from app.security import LARGER_BODIES
from app.telemetry import JOBS
from app.wiring import Services
from devtools.environment import ROOT
from devtools.tied import tied
from tests.deploy.serving import Site, wait_until_answers
from tests.ports import free_port

DEPLOY = ROOT / "deploy"
METRIC = re.compile(r"\byuban_[a-z_]+")
NAME = "yuban.example"


def _template() -> dict[str, str]:
    lines = (DEPLOY / "environment.template").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_the_environment_template_names_every_required_setting() -> None:
    given = _template()
    required = {
        name.upper() for name, field in Settings.model_fields.items() if field.is_required()
    }

    assert required <= given.keys()
    assert given.keys() <= {name.upper() for name in Settings.model_fields} | {
        "WEB_WORKERS",
        "WEB_THREADS",
        "PROMETHEUS_MULTIPROC_DIR",
    }


def test_the_environment_template_filled_in_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    filled = _template() | {
        "SECRET_KEY": "s" * 48,
        "DATA_KEY": base64.urlsafe_b64encode(b"k" * 32).decode(),
        "WECHAT_AES_KEY": "a" * 43,
    }
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in filled.items():
        monkeypatch.setenv(name, value)

    assert load_settings().trusted_proxies == 1


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """With the paths of a place where the programs exist: systemd looks for them."""
    tools = tmp_path / "opt" / ".venv" / "bin"
    tools.mkdir(parents=True)
    for name in ("gunicorn", "python", "flask"):
        (tools / name).write_text("#!/bin/sh\n")
        (tools / name).chmod(0o755)
    units = []
    for unit in sorted((DEPLOY / "systemd").iterdir()):
        text = unit.read_text().replace("/opt/yuban", str(tmp_path / "opt"))
        (tmp_path / unit.name).write_text(text.replace("User=yuban", "User=root"))
        units.append(str(tmp_path / unit.name))
    # What is not of ours (network-online.target, say) is looked for where systemd keeps it.
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        capture_output=True,
        text=True,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        check=False,
    )
    complaints = [line for line in done.stderr.splitlines() if "yuban" in line]

    assert complaints == []


def test_every_alert_asks_for_a_metric_that_is_there(services: Services) -> None:
    JOBS.labels("tidy", "done").inc()
    exposed = set(METRIC.findall(collect(services).decode()))
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text(encoding="utf-8"))
    runbook = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]

    assert len(alerts) >= 8
    for rule in alerts:
        assert set(METRIC.findall(rule["expr"])) <= exposed, rule["alert"]
        assert f"### {rule['alert']}" in runbook
        assert rule["annotations"]["summary"]


def test_the_composition_starts_what_the_units_start() -> None:
    composition = yaml.safe_load(
        (DEPLOY / "container" / "compose.yaml").read_text(encoding="utf-8")
    )
    services = composition["services"]

    assert {"web", "scheduler", "deliverer", "database", "redis"} == services.keys()
    for name in ("scheduler", "deliverer"):
        unit = (DEPLOY / "systemd" / f"yuban-{name}.service").read_text()
        assert services[name]["command"][-1] in unit
    containerfile = (DEPLOY / "container" / "Containerfile").read_text()
    for copied in re.findall(r"^COPY (.+) \S+$", containerfile, re.M):
        for path in copied.split():
            assert (ROOT / path).exists(), path


needs_nginx = pytest.mark.skipif(
    shutil.which("nginx") is None, reason="no nginx here: apt-get install nginx-light"
)


def _certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


@contextmanager
def _behind_nginx(folder: Path, site: Site) -> Iterator[tuple[int, int]]:
    """The http and https ports of an nginx with our file, in front of a running site."""
    _certificate(folder)
    plain, secure = free_port(), free_port()
    ours = (DEPLOY / "nginx" / "yuban.conf").read_text(encoding="utf-8")
    for old, new in {
        "CHANGE.example": NAME,
        "127.0.0.1:8000": f"127.0.0.1:{site.port}",
        "/etc/yuban/tls": str(folder),
        "/var/log/nginx/yuban.log": str(folder / "yuban.log"),
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl": f"listen 127.0.0.1:{secure} ssl",
    }.items():
        assert old in ours
        ours = ours.replace(old, new)
    (folder / "yuban.conf").write_text(ours)
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr warn;\n"
        f"events {{}}\nhttp {{ client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;"
        f" fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n"
        f"include {folder}/yuban.conf; }}\n"
    )
    command = ("nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder))
    process = subprocess.Popen(tied(command), stderr=sys.stderr)
    try:
        wait_until_answers(plain)
        yield plain, secure
    finally:
        process.terminate()
        process.wait(10)


def _ask(
    port: int, path: str, *, host: str = NAME, body: bytes | None = None
) -> http.client.HTTPResponse:
    # The certificate is the test's own.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
    headers = {"Host": host, "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Host": "evil.example"}
    connection.request("POST" if body is not None else "GET", path, body=body, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


@needs_nginx
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_behind_nginx_the_service_answers_and_keeps_what_is_internal(
    site: Site, tmp_path: Path
) -> None:
    with _behind_nginx(tmp_path, site) as (plain, secure):
        http_only = http.client.HTTPConnection("127.0.0.1", plain, timeout=10)
        http_only.request("GET", "/console/", headers={"Host": NAME})
        moved = http_only.getresponse()
        console = _ask(secure, "/console/login")
        callback = _ask(secure, "/wechat", body=b"<xml>junk</xml>")
        too_long = _ask(secure, "/wechat", body=b"x" * 300_000)
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            _ask(secure, "/console/login", host="evil.example")
        http_only.close()

    assert moved.status == 301
    assert moved.headers["Location"] == f"https://{NAME}/console/"
    assert console.status == 200
    assert "Secure" in console.headers["Set-Cookie"]
    assert "evil.example" not in str(console.headers)
    assert console.headers["Strict-Transport-Security"]
    assert 400 <= callback.status < 500
    assert too_long.status == 413


def test_the_proxy_lets_through_what_the_console_takes_and_writes_no_query_down() -> None:
    text = (DEPLOY / "nginx" / "yuban.conf").read_text(encoding="utf-8")
    found = re.search(r"^    client_max_body_size (\d+)m;", text, re.M)

    assert found is not None
    assert int(found[1]) * 1024 * 1024 >= max(LARGER_BODIES.values())
    assert "access_log off;" in text
    assert re.search(r"^    error_log \S+ crit;", text, re.M), "a line of an error holds the query"


@needs_nginx
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_metrics_are_for_the_machine_itself(site: Site, tmp_path: Path) -> None:
    text = (DEPLOY / "nginx" / "yuban.conf").read_text()
    with _behind_nginx(tmp_path, site) as (_, secure):
        assert _ask(secure, "/metrics").status == 200
        assert _ask(secure, "/readyz").status == 200

    for path in ("/metrics", "/readyz"):
        block = text[text.index(f"location = {path} ") :]
        assert "deny all;" in block[: block.index("}")]
