# SPDX-License-Identifier: Apache-2.0
"""Services that people are told by, as strict as the real ones: robots, a bot, a provider of
text messages, a mail server. `complaints` must stay empty."""
import base64
import email
import email.policy
import hashlib
import hmac
import json
import os
import ssl
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from house.process import free_port
from results import Skipped

HOUR_S = 3600


def mac(key, text):
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()


class Robots:
    """One HTTP server for all; what each took is in `taken[kind]`, as texts."""

    def __init__(self, secret):
        self.secret, self.port = secret, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.lock, self.taken, self.complaints, self.refused = threading.Lock(), {}, [], 0
        self.bot_messages, self.bot_updates, self.bot_queries, self.bot_answers = [], [], [], []
        self.bot_count = 0
        self.server = None

    def start(self):
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                answer = json.dumps(owner.serve(self.path, self.headers, body)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def stop(self, *_):
        if self.server:
            self.server.shutdown()
            self.server.server_close()

    def serve(self, path, headers, data):
        url = urllib.parse.urlsplit(path)
        query = {key: values[0] for key, values in urllib.parse.parse_qs(url.query).items()}
        kind = url.path.split("/")[1]
        with self.lock:
            try:
                text, answer = getattr(self, "_" + kind)(url.path, query, headers, json.loads(data), data)
            except (AssertionError, KeyError, ValueError, AttributeError) as error:
                self.complaints.append(f"{kind}: {error!r} of {data[:300]!r}")
                return {"errcode": 310000, "errmsg": str(error)}
            if text is not None:
                self.taken.setdefault(kind, []).append(text)
            return answer

    def _wecom(self, _path, query, _headers, body, _data):
        assert query == {"key": "wecom-key"}, query
        if not self.refused:  # 200 is no success
            self.refused += 1
            return None, {"errcode": -1, "errmsg": "system busy"}
        kind = body["msgtype"]
        assert kind in ("text", "markdown"), kind
        content = body[kind]["content"]
        assert 0 < len(content.encode()) <= {"text": 2048, "markdown": 4096}[kind], len(content.encode())
        return content, {"errcode": 0, "errmsg": "ok"}

    def _dingtalk(self, _path, query, _headers, body, _data):
        stamp = query["timestamp"]
        assert query["access_token"] == "dingtalk-token"
        assert abs(int(stamp) / 1000 - time.time()) < HOUR_S, "timestamp"
        assert query["sign"] == mac(self.secret, f"{stamp}\n{self.secret}"), "sign not match"
        assert body["msgtype"] == "text" and isinstance(body["at"]["atMobiles"], list)
        assert len(body["text"]["content"].encode()) <= 4000
        return body["text"]["content"], {"errcode": 0, "errmsg": "ok"}

    def _feishu(self, path, _query, _headers, body, data):
        stamp = body["timestamp"]
        assert path == "/feishu/feishu-token" and len(data) <= 20 * 1024
        assert abs(int(stamp) - time.time()) < HOUR_S, "timestamp"
        want = base64.b64encode(hmac.new(f"{stamp}\n{self.secret}".encode(), b"", hashlib.sha256).digest()).decode()
        assert body["sign"] == want, "sign match fail"
        assert body["msg_type"] == "text"
        return body["content"]["text"], {"code": 0, "msg": "success", "data": {}}

    def _telegram(self, path, _query, _headers, body, _data):
        start, _, method = path.rpartition("/")
        assert start == "/telegram/botbot-token", path
        return {"sendMessage": self._send, "getUpdates": self._updates, "answerCallbackQuery": self._answer,
                "editMessageText": self._edit}[method](body)

    @staticmethod
    def _check_text(body, most=4096):
        assert 0 < len(body["text"].encode("utf-16-le")) // 2 <= most, body

    def _send(self, body):
        assert body["chat_id"] == "-100"
        self._check_text(body)
        for row in body.get("reply_markup", {"inline_keyboard": []})["inline_keyboard"]:
            for button in row:
                assert button["text"] and ("url" in button) != ("callback_data" in button), button
                assert len(button.get("callback_data", "").encode()) <= 64, button
        self.bot_messages.append(dict(body))
        return body["text"], {"ok": True, "result": {"message_id": len(self.bot_messages)}}

    def _updates(self, body):
        """What is confirmed by a higher offset is forgotten, as by the real one."""
        assert 1 <= body["limit"] <= 100 and body["timeout"] >= 0, body
        assert set(body["allowed_updates"]) == {"message", "callback_query"}
        self.bot_updates = [one for one in self.bot_updates if one["update_id"] >= body.get("offset", 0)]
        return None, {"ok": True, "result": self.bot_updates[:body["limit"]]}

    def _answer(self, body):
        self._check_text(body, 200)
        self.bot_queries.remove(body["callback_query_id"])  # once, and none but those asked
        self.bot_answers.append(body["text"])
        return None, {"ok": True, "result": True}

    def _edit(self, body):
        self._check_text(body)
        self.bot_messages[body["message_id"] - 1] |= {"text": body["text"], "reply_markup": body.get("reply_markup")}
        return None, {"ok": True, "result": True}

    def press(self, number, user, data):
        """That user presses a button under the bot's message of that number (from 1)."""
        with self.lock:
            message = self.bot_messages[number - 1]
            self.bot_count += 1
            query = f"query-{self.bot_count}"
            self.bot_queries.append(query)
            self.bot_updates.append({"update_id": 7000 + self.bot_count, "callback_query": {
                "id": query, "from": {"id": user, "is_bot": False, "first_name": "x"},
                "message": {"message_id": number, "chat": {"id": -100}, "text": message["text"]},
                "data": data}})

    def _sms(self, _path, query, headers, body, _data):
        assert query == {"to": "+8613800000000"} and headers["Authorization"] == f"Bearer {self.secret}"
        assert len(body["text"].encode()) <= 500
        return body["text"], {"Code": "OK"}


class MailServer:
    """aiosmtpd, which takes nothing without STARTTLS and a login; `implicit`: TLS from the first byte;
    without certificates: neither TLS nor a login. It knows no nobody."""

    def __init__(self, certificates, username, password, host="127.0.0.1", implicit=False):
        try:
            from aiosmtpd.controller import Controller
            from aiosmtpd.smtp import AuthResult
        except ImportError as missing:
            raise Skipped("python3-aiosmtpd is not installed") from missing
        self.port, self.mails, self.logins, ways = free_port(), [], 0, {}

        def authenticate(_server, _session, _envelope, _mechanism, data):
            self.logins += 1
            return AuthResult(success=(data.login, data.password) == (username.encode(), password.encode()),
                              handled=False)

        if certificates:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(os.path.join(certificates, "api.crt"), os.path.join(certificates, "api.key"))
            ways = {"ssl_context": context, "auth_require_tls": False} if implicit else {
                "tls_context": context, "require_starttls": True}
            ways.update(auth_required=True, authenticator=authenticate)
        self.controller = Controller(self, hostname=host, port=self.port, **ways)

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if address.startswith("nobody@"):
            return f"550 5.1.1 <{address}>: no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):
        self.mails.append((envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return "250 taken"

    def start(self):
        self.controller.start()
        return self

    def stop(self, *_):
        self.controller.stop()
