# SPDX-License-Identifier: Apache-2.0
"""docs/tls.md as it stands there: its commands make the certificates, its nginx the proxy."""
import os
import re
import shutil
import ssl
import subprocess

from house.process import Process, free_port, is_listening, wait_for
from results import Skipped

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
NGINX = """\
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{server}
}}
"""


def block(language):
    """The page's one piece of that language."""
    with open(os.path.join(ROOT, "docs", "tls.md"), encoding="utf-8") as file:
        found = re.findall(rf"^```{language}\n(.*?)^```$", file.read(), re.M | re.S)
    assert len(found) == 1, f"docs/tls.md has {len(found)} pieces of {language}"
    return found[0]


def make_certificates(folder, names="DNS:localhost,IP:127.0.0.1"):
    """ca.crt, api.crt and api.key in `folder`."""
    if not shutil.which("openssl"):
        raise Skipped("openssl is not installed")
    os.makedirs(folder)
    commands = block("sh").replace("DNS:collector.lan,IP:192.168.1.20", names)
    assert names in commands, "docs/tls.md names other addresses"
    subprocess.run(["sh", "-eu", "-c", commands], cwd=folder, check=True, capture_output=True)


def trusting(folder):
    return ssl.create_default_context(cafile=os.path.join(folder, "ca.crt"))


class Nginx(Process):
    """The page's reverse proxy before `port`, with the certificates of `folder`."""

    def __init__(self, home, certificates, port):
        program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        if not program:
            raise Skipped("nginx is not installed")
        folder = os.path.join(home, "nginx")
        os.makedirs(folder)
        self.port = free_port()
        server = block("nginx")
        for old, new in (("listen 443", f"listen 127.0.0.1:{self.port}"), ("/etc/coldchain/tls", certificates),
                         ("127.0.0.1:8480", f"127.0.0.1:{port}")):
            assert old in server, f"docs/tls.md: no {old} for nginx"
            server = server.replace(old, new)
        path = os.path.join(folder, "nginx.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(NGINX.format(folder=folder, server=server))
        super().__init__("nginx", [program, "-p", folder, "-c", path], folder)

    def start(self):
        super().start()
        wait_for(lambda: self.check_running() and is_listening(self.port), 20, "nginx listens")
        return self
