# SPDX-License-Identifier: Apache-2.0
"""The API by TLS, alone and behind nginx, with the certificates and the proxy of docs/tls.md."""
import concurrent.futures
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time

from house.broker import Broker
from house.collector import Collector
from house.stream import Stream
from house.tls import Nginx, make_certificates, trusting

EPOCH = "00000000000000aa"
PASSWORD = "orange truck seven hill"


def files(folder, name="api"):
    return {"cert_file": os.path.join(folder, f"{name}.crt"), "key_file": os.path.join(folder, f"{name}.key")}


def secure_house(house, **api):
    """A collector by TLS, and the folder of its certificates."""
    folder = os.path.join(house.folder, "tls")
    make_certificates(folder)
    broker = house.start(Broker(house.folder, house.program("coldchainctl")))
    collector = Collector(house.folder, house.program("coldchain-collector"), broker)
    collector.settings["api"].update(files(folder), **api)
    collector.tls = trusting(folder)
    return house.start(collector), folder


def ask(port, method, path, body=None, context=None, **headers):
    """(status, headers, answer) of one request."""
    connection = (http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=context) if context
                  else http.client.HTTPConnection("127.0.0.1", port, timeout=30))
    connection.request(method, path, json.dumps(body) if body is not None else None,
                       {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, answer.headers, text


def sign_in(collector, port, context, **headers):
    """The Set-Cookie of the first admin, who is made where there is none."""
    link = re.search(r"https?://\S*(/setup/\S+)", collector.log()).group(1)
    status, _, _ = ask(port, "POST", link, {"login": "wang", "name": "Wang", "password": PASSWORD}, context, **headers)
    assert status in (200, 201, 404), f"the first admin: {status}"
    status, got, _ = ask(port, "POST", "/api/v1/login", {"login": "wang", "password": PASSWORD}, context, **headers)
    assert status == 200, f"signing in: {status}"
    return got


def story_what_is_said_over_tls(house):
    collector, folder = secure_house(house)
    house.check(re.search(r"ready api=https://127\.0\.0\.1:\d+", collector.log()), "the log says https")
    house.check("https://127.0.0.1" in collector.log().split("first admin")[1], "the set-up link is https")
    headers = sign_in(collector, collector.port, collector.tls)
    cookie = headers["Set-Cookie"]
    for part in ("__Host-coldchain_session=", "; Secure", "; HttpOnly", "; SameSite=Strict", "; Path=/"):
        house.check(part in cookie, f"{part} in {cookie}")
    house.check("Domain" not in cookie, "the cookie names no domain")
    house.equal(headers["Strict-Transport-Security"], "max-age=31536000", "HSTS")
    named, secret = cookie.split(";")[0].split("=", 1)
    house.equal(ask(collector.port, "GET", "/api/v1/me", context=collector.tls, Cookie=f"{named}={secret}")[0], 200,
                "the cookie is taken")
    house.equal(ask(collector.port, "GET", "/api/v1/me", context=collector.tls,
                    Cookie=f"coldchain_session={secret}")[0], 401, "a cookie that a plain page could have set")
    for version, works in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True),
                           (ssl.TLSVersion.TLSv1_3, True)):
        context = trusting(folder)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = version
        try:
            got = ask(collector.port, "GET", "/healthz", context=context)[0] == 200
        except (ssl.SSLError, ConnectionError):
            got = False
        house.equal(got, works, f"{version.name}")


def ended_within(house, port, data, bound, what):
    """What comes for `data`, whose connection the other side ends within the bound."""
    begin, got = time.monotonic(), b""
    with socket.create_connection(("127.0.0.1", port), timeout=bound) as sock:
        sock.sendall(data)
        try:
            while part := sock.recv(65536):
                got += part
        except ConnectionError:
            pass
        except TimeoutError:
            house.check(False, f"{what}: still open after {bound} s")
    house.say(f"{what}: ended after {time.monotonic() - begin:.2f} s")
    return got


def story_plain_http_at_the_tls_port_does_not_hang(house):
    collector, _ = secure_house(house)
    plain = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    rows = {"plain HTTP": plain, "noise": os.urandom(4096), "half of a hello": b"\x16\x03\x01\x02\x00\x01", "silence": b""}
    with concurrent.futures.ThreadPoolExecutor(len(rows)) as pool:  # beside each other, as each waits
        got = dict(zip(rows, pool.map(lambda row: ended_within(house, collector.port, row[1], 40, row[0]), rows.items())))
    house.check(b"HTTP/1" not in got["plain HTTP"], "no HTTP comes back")
    house.check(collector.is_ready(), "it still answers")


def story_coldchainctl_trusts_whom_it_is_told_to(house):
    collector, folder = secure_house(house)
    other = os.path.join(house.folder, "other")
    make_certificates(other)

    def zones(*words, **env):
        words = ["zones", "--api", collector.url, "--token-file", os.path.join(collector.data, "api.token"), *words]
        done = subprocess.run([house.program("coldchainctl"), *words], capture_output=True, text=True, timeout=60,
                              env={**os.environ, **env})
        return done.returncode, done.stdout + done.stderr
    ours, theirs = (os.path.join(where, "ca.crt") for where in (folder, other))
    house.equal(zones("--ca-file", ours)[0], 0, "with the authority")
    house.equal(zones(COLDCHAIN_CA_FILE=ours)[0], 0, "with the authority in the environment")
    for words, told in (((), "--ca-file"), (("--ca-file", theirs), theirs), (("--ca-file", "/nowhere"), "/nowhere")):
        status, said = zones(*words)
        house.equal(status, 1, f"zones {words}")
        house.check(told in said, f"zones {words} names {told}: {said}")
        house.check("is coldchain-collector running" not in said, f"it runs: {said}")


def serial(folder, port):
    context = trusting(folder)
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
        with context.wrap_socket(sock, server_hostname="localhost") as secure:
            return secure.getpeercert()["serialNumber"]


def story_a_renewed_certificate_is_taken_without_a_restart(house):
    collector, folder = secure_house(house)
    other = os.path.join(house.folder, "renewed")
    make_certificates(other)
    first = serial(folder, collector.port)
    stays = http.client.HTTPSConnection("127.0.0.1", collector.port, timeout=30, context=trusting(folder))
    stays.request("GET", "/healthz")
    stays.getresponse().read()
    # A key of another certificate: what was there stays.
    shutil.copy(os.path.join(other, "api.key"), os.path.join(folder, "api.key"))
    collector.child.send_signal(signal.SIGHUP)
    house.wait_for(lambda: "stays in use" in collector.log(), 20, "the log says that the pair does not fit")
    house.equal(serial(folder, collector.port), first, "the certificate meanwhile")
    shutil.copy(os.path.join(other, "api.crt"), os.path.join(folder, "api.crt"))
    collector.child.send_signal(signal.SIGHUP)
    house.wait_for(lambda: "new connections get the certificate" in collector.log(), 20, "it is read again")
    house.check(serial(other, collector.port) != first, "a new connection gets the new one")
    stays.request("GET", "/healthz")
    house.equal(stays.getresponse().read(), b'{"status":"alive"}', "the connection that was there goes on")
    stays.close()


def story_files_that_do_not_fit_start_nothing(house):
    folder, other = (os.path.join(house.folder, name) for name in ("tls", "other"))
    for each in (folder, other):
        make_certificates(each)
    good, empty = files(folder), os.path.join(folder, "empty")
    with open(empty, "w", encoding="utf-8"):
        pass
    locked = os.path.join(folder, "locked.key")
    subprocess.run(["openssl", "pkey", "-in", good["key_file"], "-aes256", "-passout", "pass:x", "-out", locked],
                   check=True, capture_output=True)
    rows = [
        ("fits", good, None, None),
        ("no key", {"cert_file": good["cert_file"]}, 5, "api.key_file is missing"),
        ("no certificate", {"key_file": good["key_file"]}, 5, "api.cert_file is missing"),
        ("certificate absent", {**good, "cert_file": "/nowhere.crt"}, 5, "/nowhere.crt"),
        ("key absent", {**good, "key_file": "/nowhere.key"}, 6, "/nowhere.key"),
        ("certificate empty", {**good, "cert_file": empty}, 5, "BEGIN CERTIFICATE"),
        ("key empty", {**good, "key_file": empty}, 6, "openssl pkey"),
        ("key with a passphrase", {**good, "key_file": locked}, 6, "openssl pkey"),
        ("a key for a certificate", {**good, "cert_file": good["key_file"]}, 5, "BEGIN CERTIFICATE"),
        ("key of another", {**good, "key_file": files(other)["key_file"]}, None, "is not that of the certificate"),
    ]
    path = os.path.join(house.folder, "collector.yaml")
    for name, api, line, says in rows:
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"data_dir: {house.folder}/data\nmqtt:\n  uri: mqtt://127.0.0.1:1\napi:\n"
                       + "".join(f"  {key}: {value}\n" for key, value in api.items()))
        done = subprocess.run([house.program("coldchain-collector"), "--config", path, "--check"],
                              capture_output=True, text=True, timeout=60)
        house.equal(done.returncode, 0 if says is None else 1, f"{name}: {done.stderr}")
        house.check(says is None or says in done.stderr, f"{name}: {says!r} in {done.stderr}")
        house.check(line is None or f"{path}:{line}: " in done.stderr, f"{name}: line {line} in {done.stderr}")


def story_nginx_before_it_as_the_page_says(house):
    folder = os.path.join(house.folder, "tls")
    make_certificates(folder)
    broker = house.start(Broker(house.folder, house.program("coldchainctl")))
    collector = Collector(house.folder, house.program("coldchain-collector"), broker)
    collector.settings["api"]["proxies"] = ["127.0.0.1"]
    house.start(collector)
    nginx = house.start(Nginx(house.folder, folder, collector.port))
    context = trusting(folder)
    origin = f"https://127.0.0.1:{nginx.port}"
    headers = sign_in(collector, nginx.port, context, Origin=origin)
    house.check("; Secure" in headers["Set-Cookie"], f"Secure in {headers['Set-Cookie']}")
    house.check(headers["Strict-Transport-Security"], "HSTS behind the proxy")
    # Guesses count for the client that makes them: what the proxy says, which stands last.
    def guess(number, client):
        return ask(collector.port, "POST", "/api/v1/login", {"login": f"nobody{number}", "password": "no"},
                   X_Forwarded_For=client)[0]
    house.check(429 in [guess(number, "10.0.0.8, 10.0.0.9") for number in range(40)], "guesses are slowed down")
    house.equal(guess(41, "10.0.0.9, 10.0.0.8"), 401, "another client of the proxy")
    # His wait may be over by now; it doubles with each guess.
    house.check(429 in [guess(number, "10.0.0.8, 10.0.0.9") for number in range(42, 52)], "the one that guessed")
    got = ask(nginx.port, "GET", "/healthz", context=context, X_Forwarded_Proto="http")[1]
    house.check(got["Strict-Transport-Security"], "nginx replaces what the client says")
    # Without TLS nothing of it: the proxy's headers are of the proxy only.
    status, plain, _ = ask(collector.port, "GET", "/healthz")
    house.equal((status, plain["Strict-Transport-Security"]), (200, None), "plain HTTP to the collector")


def check_stream(house, collector, port, context, bound=3.0):
    """Each event of a stream comes when it happens, not when a buffer is full."""
    stream = house.keep(Stream(port, collector.token, context=context))
    house.equal(stream.status, 200, "a stream begins")
    house.wait_for(stream.is_ready, 20, "everything that is there was told")
    slowest, begun_s = 0.0, int(time.time()) - 10
    for seq in range(1, 6):
        begin, value = time.monotonic(), 4 + seq / 10
        status, _, text = ask(port, "POST", f"/api/v1/devices/fengjie/one/packs?epoch={EPOCH}&seq={seq}",
                              [{"n": "air_temperature", "u": "Cel", "t": begun_s + seq, "v": value}], context,
                              Authorization=f"Bearer {collector.token}")
        house.equal(status, 200, f"a pack: {text}")
        house.wait_for(lambda: any(channel["value"] == value for one in stream.named("zone")
                                   for channel in one["channels"]), 20, "the stream tells of it")
        slowest = max(slowest, time.monotonic() - begin)
    house.say(f"from a pack to its event: {slowest:.3f} s at most")
    house.check(slowest < bound, f"an event took {slowest:.3f} s")


def story_streams_by_tls_and_through_nginx(house):
    folder = os.path.join(house.folder, "tls")
    make_certificates(folder)
    broker = house.start(Broker(house.folder, house.program("coldchainctl")))
    places = {"sites": [{"id": "store", "zones": [{"id": "room-1"}]}], "devices": [{"id": "one", "zone": "room-1"}]}
    direct = Collector(house.folder, house.program("coldchain-collector"), broker, **places)
    direct.settings["api"].update(files(folder))
    direct.tls = trusting(folder)
    house.start(direct)
    check_stream(house, direct, direct.port, direct.tls)
    direct.stop()
    behind = Collector(house.folder, house.program("coldchain-collector"), broker, name="behind", **places)
    behind.settings["api"]["proxies"] = ["127.0.0.1"]
    house.start(behind)
    nginx = house.start(Nginx(house.folder, folder, behind.port))
    check_stream(house, behind, nginx.port, trusting(folder))


def story_nobody_else_is_taken_for_the_proxy(house):
    broker = house.start(Broker(house.folder, house.program("coldchainctl")))
    collector = house.start(Collector(house.folder, house.program("coldchain-collector"), broker))
    got = sign_in(collector, collector.port, None, X_Forwarded_Proto="https", X_Forwarded_For="10.0.0.9")
    house.check("Secure" not in got["Set-Cookie"] and "__Host-" not in got["Set-Cookie"], "no proxy is named")
    house.equal(got["Strict-Transport-Security"], None, "no proxy is named")
