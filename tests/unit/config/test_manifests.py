"""Each path, port, name and variable in the manifests is one that the code has.

Whether they are what Kubernetes and compose take is for `make manifests`.
"""

import re
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from fastapi.routing import APIRoute
from tests.unit.config.manifests import (
    IMAGE,
    KUBERNETES,
    Workload,
    documents,
    given,
    mounts,
    secrets,
    services,
    variables,
    workload,
)
from tests.unit.config.prometheus import CONFIG, groups

from demurrage.app.settings import USUAL_PLACES, Settings, load_settings
from demurrage.app.settings_types import parse_address
from demurrage.cli.shipped import Kind, shipped
from demurrage.model.error import SettingsError
from demurrage.web.probes import probes_router
from demurrage_recorder.carrier import TOKEN_VARIABLE, URL_VARIABLE
from demurrage_recorder.clients import TARGET_VARIABLE
from demurrage_recorder.folder import DIRECTORY_VARIABLE

SIDECAR, DAEMON = workload("sidecar.yaml"), workload("daemon.yaml")
BOTH = pytest.mark.parametrize("pod", [SIDECAR, DAEMON], ids=["sidecar", "daemon"])
RECORDER = {URL_VARIABLE, TARGET_VARIABLE, TOKEN_VARIABLE, DIRECTORY_VARIABLE}


def settings_of(pod: Workload, folder: Path, *, filled: bool = True) -> Settings:
    """The settings as the daemon in the pod reads them, with its Secrets filled in or not.

    Folders that the pod mounts are stood for by one of the test's.
    """
    file = folder / "demurrage.toml"
    file.write_text(pod.settings.replace("/var/lib/demurrage-events", str(folder)))
    environ = variables(pod.daemon)
    place = environ.pop("CREDENTIALS_DIRECTORY")
    assert mounts(pod.daemon)[place] == "credentials"
    given = folder / "credentials"
    given.mkdir()
    for name, (secret, key) in pod.credentials.items():
        value = secrets()[secret][key]
        assert value == "", "what is shipped can be nobody's secret"
        (given / name).write_text(filled_in(name) if filled else value)
    return load_settings(file, {**environ, "CREDENTIALS_DIRECTORY": str(given)})


def filled_in(name: str) -> str:
    """What a person writes there."""
    url = "postgresql+psycopg://demurrage:word@db.example/demurrage"
    return url if name == "database_url" else f"secret-{name}"


@BOTH
def test_the_daemon_takes_its_settings(pod: Workload, tmp_path: Path) -> None:
    """They are valid, observe, and every credential that is handed over is one that is read."""
    settings = settings_of(pod, tmp_path)
    assert settings.mode == "observe"
    assert settings.rules("default").evidence.coverage == "partial"
    found = settings.secrets
    read = {
        "api_key": found.api_keys["default"],
        "admin_token": found.admin_token,
        "events_token": found.events_token,
        "database_url": found.database_url,
    }
    handed = {
        name: value.get_secret_value()
        for name, value in read.items()
        if value is not None and name in pod.credentials
    }
    assert handed == {name: filled_in(name) for name in pod.credentials}


@BOTH
def test_an_empty_secret_ends_the_start(pod: Workload, tmp_path: Path) -> None:
    """Nobody runs on what is shipped: each one that was forgotten is named."""
    with pytest.raises(SettingsError) as refusal:
        settings_of(pod, tmp_path, filled=False)
    assert str(refusal.value).count("is empty") == len(pod.credentials)


@BOTH
def test_ports_are_those_that_are_bound(pod: Workload, tmp_path: Path) -> None:
    """What the settings bind beyond loopback is what the container and its Service name."""
    http = settings_of(pod, tmp_path).http
    bound = {"ops": http.ops_address, "http": http.address}
    open_ = {
        name: address.port
        for name, address in bound.items()
        if address is not None and not address.loopback
    }
    ports = {each["name"]: each["containerPort"] for each in pod.daemon["ports"]}
    assert ports == open_
    (service,) = pod.of("Service")
    assert {each["targetPort"]: each["port"] for each in service["spec"]["ports"]} == open_
    assert service["spec"]["selector"].items() <= pod.labels.items()


@BOTH
def test_probes_ask_what_is_answered(pod: Workload) -> None:
    """By the port for probes, at paths that exist there."""
    probes = [pod.daemon[each] for each in pod.daemon if each.endswith("Probe")]
    assert probes
    for probe in probes:
        assert probe["httpGet"]["port"] == "ops"
        assert probe["httpGet"]["path"] in ops_paths()
    assert pod.daemon["livenessProbe"]["httpGet"]["path"] == "/healthz"


def ops_paths() -> set[str]:
    """What the second address answers."""
    unasked: Any = None  # no request comes
    return {each.path for each in probes_router(unasked).routes if isinstance(each, APIRoute)}


@BOTH
def test_paths_are_the_daemon_s(pod: Workload) -> None:
    """State where the image keeps it, settings where they are looked for."""
    (state,) = re.findall(r"STATE_DIRECTORY=(\S+)", IMAGE)
    there = mounts(pod.daemon)
    assert there[state] == "state"
    assert there[str(USUAL_PLACES[-1].parent)] == "settings"
    volumes = {each["name"] for each in pod.pod["volumes"]}
    claimed = pod.document["spec"].get("volumeClaimTemplates", ())
    volumes |= {each["metadata"]["name"] for each in claimed}
    for container in pod.containers:
        assert set(mounts(container).values()) <= volumes


@BOTH
def test_every_container_is_confined(pod: Workload) -> None:
    """As the Pod Security Standard `restricted` has it, and with a root that is read-only."""
    every = pod.pod["securityContext"]
    assert every["runAsNonRoot"] is True
    assert every["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod.pod["automountServiceAccountToken"] is False
    for container in pod.containers:
        own = every | container["securityContext"]
        assert own["runAsUser"] > 0
        assert own["allowPrivilegeEscalation"] is False
        assert own["readOnlyRootFilesystem"] is True
        assert own["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["requests"]
        assert container["resources"]["limits"]["memory"]
    user = {**every, **pod.daemon["securityContext"]}
    (uid,) = re.findall(r"^USER (\d+):\1$", IMAGE, re.MULTILINE)
    assert [user["runAsUser"], user["runAsGroup"], user["fsGroup"]] == [int(uid)] * 3


def test_the_image_is_of_this_version() -> None:
    """Who upgrades the package gets manifests that name the newer image."""
    named = [SIDECAR.daemon["image"], DAEMON.daemon["image"], services()["demurrage"]["image"]]
    assert set(named) == {f"demurrage:{version('demurrage')}"}


def test_the_sidecar_outlives_its_application() -> None:
    """It is a native sidecar, of one pod alone, and its readiness is not the application's."""
    assert SIDECAR.daemon in SIDECAR.pod["initContainers"]
    assert SIDECAR.daemon["restartPolicy"] == "Always"
    assert not {"readinessProbe", "startupProbe"} & set(SIDECAR.daemon)
    assert SIDECAR.document["kind"] == "StatefulSet"
    assert SIDECAR.document["spec"]["replicas"] == 1


def test_the_application_beside_it_writes_where_it_reads(tmp_path: Path) -> None:
    """One volume, one path, one target; and it sees neither the store nor the daemon's secrets."""
    (app,) = SIDECAR.pod["containers"]
    environ = variables(app)
    folder = urlsplit(environ[URL_VARIABLE])
    assert folder.scheme == "file"
    assert f'folder = "{folder.path}"' in SIDECAR.settings
    assert mounts(app)[folder.path] == mounts(SIDECAR.daemon)[folder.path] == "events"
    assert environ[TARGET_VARIABLE] in settings_of(SIDECAR, tmp_path).targets
    assert not {"state", "credentials", "settings"} & set(mounts(app).values())
    assert {each for each in environ if each.startswith("DEMURRAGE_")} <= RECORDER


def test_only_one_daemon_acts() -> None:
    """A newer pod starts when the older has ended."""
    assert DAEMON.document["spec"]["replicas"] == 1
    assert DAEMON.document["spec"]["strategy"] == {"type": "Recreate"}


def test_applications_find_the_daemon(tmp_path: Path) -> None:
    """The head of the file names its Service, its Secret, its policy's label and its target."""
    head = (KUBERNETES / DAEMON.file).read_text().partition("apiVersion:")[0]
    told = dict(re.findall(r"- name: (\w+).*\n#\s+value: (\S+)", head))
    token = re.search(r"- name: (\w+)\n#\s+valueFrom: (.*)", head)
    assert token is not None
    assert {*told, token[1]} == RECORDER
    assert token[1] == TOKEN_VARIABLE
    reference = yaml.safe_load(token[2])["secretKeyRef"]
    assert (reference["name"], reference["key"]) == DAEMON.credentials["events_token"]
    url = urlsplit(told[URL_VARIABLE])
    (service,) = DAEMON.of("Service")
    assert str(url.hostname).split(".")[0] == service["metadata"]["name"]
    assert url.port in {each["port"] for each in service["spec"]["ports"] if each["name"] == "http"}
    assert told[TARGET_VARIABLE] in settings_of(DAEMON, tmp_path).targets
    (label,) = re.findall(r'(demurrage-recorder): "true"', head)
    (policy,) = DAEMON.of("NetworkPolicy")
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= DAEMON.labels.items()
    applications, prometheus = policy["spec"]["ingress"]
    assert applications["from"][0]["podSelector"]["matchLabels"] == {label: "true"}
    assert [each["port"] for each in applications["ports"]] == ["http"]
    assert [each["port"] for each in prometheus["ports"]] == ["ops"]


def test_prometheus_finds_both() -> None:
    """The monitor selects the Services of either file, and asks for metrics where they are."""
    (monitor,) = documents(KUBERNETES / "monitoring.yaml")
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["path"] in ops_paths()
    for pod in (SIDECAR, DAEMON):
        (service,) = pod.of("Service")
        labels = service["metadata"]["labels"]
        assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
        assert endpoint["port"] in {each["name"] for each in service["spec"]["ports"]}
        # The rules know the daemon by a job with this in its name.
        assert "demurrage" in labels[monitor["spec"]["jobLabel"]]


def test_the_rules_are_the_rules() -> None:
    """What `init` makes of them says the same to the operator as the file to Prometheus."""
    (made,) = (each for each in shipped(Kind.KUBERNETES) if each.name == "rules.yaml")
    rule = yaml.safe_load(made.text)
    assert (rule["apiVersion"], rule["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert rule["spec"] == {"groups": groups()}


def test_everything_in_the_folders_is_written_out() -> None:
    """A file that is added there is one that people get."""
    for kind, folder in ((Kind.COMPOSE, "compose"), (Kind.KUBERNETES, "kubernetes")):
        names = {each.name for each in shipped(kind)}
        assert {each.name for each in (CONFIG / folder).iterdir()} == names - {"rules.yaml"}


def test_compose_s_daemon_takes_its_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its variables are settings, its ports are bound, its volumes are where the daemon looks."""
    monkeypatch.setattr("demurrage.app.settings.USUAL_PLACES", ())
    daemon = services()["demurrage"]
    environ = given(daemon["environment"])
    folder = environ["DEMURRAGE_EVENTS__FOLDER"]
    settings = load_settings(None, {**environ, "DEMURRAGE_EVENTS__FOLDER": str(tmp_path)})
    assert settings.mode == "observe"
    assert settings.rules("default").evidence.coverage == "partial"
    assert settings.targets["default"].base_url == environ["OPENAI_BASE_URL"]
    assert settings.http.address.loopback
    assert settings.http.ops_address is not None
    (port,) = daemon["ports"]
    host, _, inside = port.rpartition(":")
    assert int(inside) == settings.http.ops_address.port
    assert parse_address(host).loopback
    (state,) = re.findall(r"STATE_DIRECTORY=(\S+)", IMAGE)
    assert [each.partition(":")[2] for each in daemon["volumes"]] == [state, folder]
    assert daemon["read_only"] is True
    assert daemon["cap_drop"] == ["ALL"]


def test_compose_s_application_writes_where_the_daemon_reads() -> None:
    """By the variables that the recorder has, in the daemon's group, ended before it."""
    app, daemon = services()["app"], services()["demurrage"]
    environ = given(app["environment"])
    folder = urlsplit(environ[URL_VARIABLE])
    assert folder.scheme == "file"
    assert folder.path == daemon["environment"]["DEMURRAGE_EVENTS__FOLDER"]
    assert environ[TARGET_VARIABLE] == "default"
    assert {each for each in environ if each.startswith("DEMURRAGE_")} <= RECORDER
    (volume,) = app["volumes"]
    assert volume in daemon["volumes"]
    assert volume.partition(":")[2] == folder.path
    assert app["depends_on"] == ["demurrage"]
    (gid,) = re.findall(r"^USER \d+:(\d+)$", IMAGE, re.MULTILINE)
    assert app["user"].partition(":")[2] == gid
    # Of the two images the daemon's makes the folder that a new volume is like.
    assert f"install -d -o {gid} -g {gid} -m 2770 {folder.path}" in IMAGE
